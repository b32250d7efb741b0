import { parseThinSuperblock, SUPERBLOCK_SIZE, type ThinSuperblock } from "../../src/devicemapper/thin-superblock.ts";
import { DmthinError } from "../../src/errors.ts";
import type { BackingDevices, PoolBacking } from "../../src/pool/backings/backing.ts";
import type { Growth } from "../../src/pool/backings/growth.ts";
import { bytes } from "../../src/units.ts";
import type { SimulatedDisk } from "./disk.ts";
import type { SimulatedKernel } from "./kernel.ts";
import type { SimulatedProcess } from "./process.ts";

/** A pool's two disks in memory. They are there before the pool: `provision` only refuses data, as a `devices` pool does. What an interrupted first start left on the metadata is none. */
export class SimulatedBacking implements PoolBacking {
  readonly #process: SimulatedProcess;
  readonly #data: SimulatedDisk;
  readonly #metadata: SimulatedDisk;

  /** As of devices that an administrator makes larger. */
  readonly growth: Growth = {
    room: async (current) =>
      this.#process.look(() => ({
        data: bytes(Math.max(this.#data.sizeBytes - current.data, 0)),
        metadata: bytes(Math.max(this.#metadata.sizeBytes - current.metadata, 0)),
      })),
    grow: async (part, to) => {
      const { path, sizeBytes } = part === "data" ? this.#data : this.#metadata;
      if (sizeBytes < to) throw new DmthinError({ code: "pool-unchanged", pool: "simulated", reason: `${path} is too small`, remedy: "make it larger" });
    },
  };

  constructor(kernel: SimulatedKernel, process: SimulatedProcess, paths: { readonly data: string; readonly metadata: string }) {
    this.#process = process;
    this.#data = kernel.disk(paths.data);
    this.#metadata = kernel.disk(paths.metadata);
  }

  async provision(): Promise<void> {
    const blank = this.#process.look(() => this.#data.read(0, 4096).every((byte) => byte === 0));
    if (blank) return;
    throw new DmthinError({ code: "pool-refused", pool: "simulated", reason: "its data device holds something", remedy: "zero it" });
  }

  async attach(): Promise<BackingDevices> {
    return this.#process.look(() => ({ data: describe(this.#data), metadata: describe(this.#metadata) }));
  }
}

/** From the disk in memory, for a pool's engine. */
export const simulatedSuperblock =
  (kernel: SimulatedKernel, process: SimulatedProcess) =>
  (metadataPath: string): ThinSuperblock =>
    process.look(() => parseThinSuperblock(kernel.disk(metadataPath).read(0, SUPERBLOCK_SIZE)));

const describe = ({ path, major, minor, sizeBytes }: SimulatedDisk): BackingDevices["data"] => ({ path, major, minor, sizeBytes: bytes(sizeBytes) });
