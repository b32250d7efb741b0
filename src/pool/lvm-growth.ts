import { DmthinError } from "../errors.ts";
import { bytes, formatBytes, type Bytes } from "../units.ts";
import type { Growth, Part, PartSizes } from "./growth.ts";
import { MOST_METADATA } from "./lvm-layout.ts";
import type { LvmPool } from "./lvm-pool.ts";

/** What a volume group has left for a part of a pool. */
export interface GroupRoom {
  readonly extentBytes: Bytes;
  readonly freeExtents: number;
  /** The disks that it may lie on; none: any of the group's. */
  readonly on: readonly string[];
}

export interface LvmGrowthParts {
  /** Of the driver, for its errors. */
  readonly pool: string;
  readonly group: string;
  /** Looked at anew. */
  readonly look: (part: Part) => Promise<GroupRoom>;
  /** How the group is made larger. */
  readonly remedy: string;
}

/** Extends a part of the pool by the volume group's free extents: LVM loads the tables, while volumes are written to. */
export class LvmGrowth implements Growth {
  readonly #parts: LvmGrowthParts;
  readonly #pool: LvmPool;

  constructor(parts: LvmGrowthParts, pool: LvmPool) {
    this.#parts = parts;
    this.#pool = pool;
  }

  async room(current: PartSizes): Promise<PartSizes> {
    const data = await this.#free("data");
    const metadata = await this.#free("metadata");
    return { data, metadata: bytes(Math.min(metadata, Math.max(0, MOST_METADATA - current.metadata))) };
  }

  async grow(part: Part, to: Bytes): Promise<void> {
    const size = (await this.#pool.find())?.[part].sizeBytes ?? to;
    const { extentBytes, on } = await this.#parts.look(part);
    const wanted = Math.ceil((to - size) / extentBytes);
    if (wanted > 0) {
      const free = await this.#free(part);
      if (wanted * extentBytes > free) {
        const { pool, group, remedy } = this.#parts;
        const reason = `its ${part} cannot grow to ${formatBytes(to)}: volume group ${group} has room for ${formatBytes(size + free)}`;
        throw new DmthinError({ code: "pool-refused", pool, reason, remedy });
      }
      await this.#pool.extend(part, { extents: wanted, extentBytes }, on);
    }
    await this.#pool.settle();
  }

  readonly setWhenFull = async (how: "queue" | "error"): Promise<void> => this.#pool.setWhenFull(how);

  /** Metadata takes each extent twice: its spare grows with it. */
  async #free(part: Part): Promise<Bytes> {
    const { extentBytes, freeExtents } = await this.#parts.look(part);
    return bytes((part === "data" ? freeExtents : Math.floor(freeExtents / 2)) * extentBytes);
  }
}
