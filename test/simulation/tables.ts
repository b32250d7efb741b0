import type { Target } from "../../src/devicemapper/device-mapper.ts";
import type { BlockDevice } from "./disk.ts";
import { SimulatedDisk } from "./disk.ts";
import { refusal } from "./errno.ts";
import { MappedDevice } from "./mapped-device.ts";
import { parseFeatures } from "./pool-features.ts";
import { PoolState } from "./pool-state.ts";
import { ErrorTarget, LinearTarget, type KernelTarget } from "./targets.ts";
import { ThinTarget } from "./thin-device.ts";
import { PoolRegistry, ThinPoolTarget } from "./thin-pool.ts";

const CHUNK_STEP_SECTORS = 128;
const LARGEST_CHUNK_SECTORS = 2 ** 21;

/** Turns table lines into targets, as each target's constructor in the kernel does. */
export class TableBuilder {
  readonly #device: (number: string) => BlockDevice | undefined;
  readonly #pools = new PoolRegistry();

  /** `device` finds a device by "major:minor" or path. */
  constructor(device: (number: string) => BlockDevice | undefined) {
    this.#device = device;
  }

  build(owner: MappedDevice, line: Target): KernelTarget {
    const words = line.parameters.split(/\s+/).filter((word) => word !== "");
    switch (line.type) {
      case "thin-pool":
        return this.#pool(owner, line.length, words);
      case "thin":
        return this.#thin(line.length, words);
      case "linear":
        return new LinearTarget(line.length, this.#find(words[0]), Number(words[1] ?? 0));
      case "error":
        return new ErrorTarget(line.length);
      default:
        throw refusal("table load", line.type, "EINVAL");
    }
  }

  /** Told when a pool's table is gone. */
  release(target: KernelTarget): void {
    if (target instanceof ThinPoolTarget) this.#pools.release(target.pool.metadataDisk);
  }

  forget(): void {
    this.#pools.forget();
  }

  #pool(owner: MappedDevice, length: number, words: readonly string[]): ThinPoolTarget {
    const [metadataName, dataName, chunk, lowWaterMark, ...rest] = words;
    const chunkSectors = Number(chunk);
    const features = parseFeatures(rest);
    const goodChunk = chunkSectors >= CHUNK_STEP_SECTORS && chunkSectors <= LARGEST_CHUNK_SECTORS && chunkSectors % CHUNK_STEP_SECTORS === 0;
    if (!goodChunk || lowWaterMark === undefined) throw refusal("table load", words.join(" "), "EINVAL");
    const [metadata, data] = [this.#find(metadataName), this.#find(dataName)];
    if (!(metadata instanceof SimulatedDisk)) throw refusal("table load", words.join(" "), "EINVAL");
    const pool = this.#pools.claim(owner, metadata, () => new PoolState(metadata, data, chunkSectors * 512, features));
    if (pool.features.discard !== features.discard) {
      this.#pools.release(metadata);
      throw refusal("table load", words.join(" "), "EINVAL");
    }
    pool.onEvent = () => void owner.eventNumber++;
    return new ThinPoolTarget(pool, { length, lowWaterMark: Number(lowWaterMark), features });
  }

  #thin(length: number, [poolName, number]: readonly string[]): ThinTarget {
    const device = this.#find(poolName);
    const pool = device instanceof MappedDevice ? device.targets[0] : undefined;
    if (!(device instanceof MappedDevice) || !(pool instanceof ThinPoolTarget)) throw refusal("table load", `thin ${number}`, "EINVAL");
    return new ThinTarget(length, device, pool.pool, Number(number));
  }

  #find(name: string | undefined): BlockDevice {
    const device = name === undefined ? undefined : this.#device(name);
    if (device === undefined) throw refusal("table load", name ?? "", "ENODEV");
    return device;
  }
}
