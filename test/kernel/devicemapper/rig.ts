import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { DeviceInfo, DeviceNumber, Target } from "../../../src/devicemapper/device-mapper.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { poolTarget, thinTarget, type PoolTable } from "../../../src/devicemapper/thin-table.ts";
import { bytesToSectors, chunks, KiB, MiB, sectors, type Bytes } from "../../../src/units.ts";
import { output } from "../../harness/program.ts";

export interface LoopDevice extends DeviceNumber {
  readonly path: string;
  readonly sizeBytes: Bytes;
}

export interface PoolOptions {
  readonly dataBytes?: Bytes;
  readonly metadataBytes?: Bytes;
  readonly lowWaterMark?: number;
  readonly features?: PoolTable["features"];
  /** In place of a loop device of its own. */
  readonly metadata?: DeviceNumber;
}

/** A pool of the real kernel, on loop devices, and what stands on it; all of it gone with `dispose`. */
export class Rig {
  readonly dm = new KernelDeviceMapper();
  readonly prefix = `DMTHIN-test${process.pid}`;
  readonly #folder = mkdtempSync(join(tmpdir(), "dmthin-"));
  readonly #loops: string[] = [];
  readonly #made: string[] = [];

  loop(sizeBytes: Bytes): LoopDevice {
    const file = join(this.#folder, `loop${this.#loops.length}`);
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    const path = output("losetup", ["--find", "--show", file]).trim();
    this.#loops.push(path);
    const [major = 0, minor = 0] = readFileSync(`/sys/class/block/${basename(path)}/dev`, "utf8")
      .trim()
      .split(":")
      .map(Number);
    return { path, sizeBytes, major, minor };
  }

  /** Created, loaded and resumed. */
  device(name: string, table: readonly Target[]): DeviceInfo {
    const uuid = `${this.prefix}-${name}`;
    this.dm.create(`dmthin-test${process.pid}-${name}`, uuid);
    this.#made.push(uuid);
    this.dm.load(uuid, table);
    this.dm.resume(uuid);
    const info = this.dm.info(uuid);
    if (info === undefined) throw new Error(`${name} has gone`);
    return info;
  }

  linear(name: string, below: LoopDevice): DeviceInfo {
    return this.device(name, [linearTarget(below)]);
  }

  pool(options: PoolOptions = {}): { readonly info: DeviceInfo; readonly metadata: DeviceNumber & { readonly path?: string }; readonly data: LoopDevice } {
    const data = this.loop(options.dataBytes ?? (((MiB as number) * 64) as Bytes));
    const metadata = options.metadata ?? this.loop(options.metadataBytes ?? (((MiB as number) * 4) as Bytes));
    const table: PoolTable = {
      metadata,
      data,
      chunkSize: ((KiB as number) * 64) as Bytes,
      lowWaterMark: chunks(options.lowWaterMark ?? 0),
      features: options.features ?? [],
    };
    return { info: this.device("pool", [poolTarget(table, bytesToSectors(data.sizeBytes))]), metadata, data };
  }

  /** An active thin device; the number exists already. */
  thin(pool: DeviceNumber, number: number, sizeBytes: Bytes, name = `thin${number}`): DeviceInfo {
    return this.device(name, [thinTarget({ pool, number }, bytesToSectors(sizeBytes))]);
  }

  statusText(uuid: string): string {
    return this.dm.status(uuid)[0]?.status ?? "";
  }

  /** Whatever is left, top down; what was suspended is resumed first, since nothing else lets it go. */
  dispose(): void {
    for (const uuid of this.#made.toReversed()) {
      if (this.dm.info(uuid)?.suspended === true) this.dm.resume(uuid);
      if (this.dm.info(uuid) !== undefined) this.dm.remove(uuid, { deferred: true });
    }
    this.dm.close();
    for (const path of this.#loops) output("losetup", ["--detach", path]);
    rmSync(this.#folder, { recursive: true });
  }
}

export const pathOf = ({ minor }: DeviceNumber): string => `/dev/dm-${minor}`;

export const linearTarget = (below: LoopDevice): Target => ({
  start: sectors(0),
  length: bytesToSectors(below.sizeBytes),
  type: "linear",
  parameters: `${below.major}:${below.minor} 0`,
});
