import { DmthinError } from "../../errors.ts";
import { bytes, formatBytes, type Bytes } from "../../units.ts";
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
  readonly look: () => Promise<Readonly<Record<Part, GroupRoom>>>;
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
    const room = await this.#parts.look();
    const [data, metadata] = [freeBytes("data", room.data), freeBytes("metadata", room.metadata)];
    return { data, metadata: bytes(Math.min(metadata, Math.max(0, MOST_METADATA - current.metadata))) };
  }

  async grow(part: Part, to: Bytes): Promise<void> {
    const found = await this.#pool.find();
    if (found === undefined || to <= found[part].sizeBytes) {
      await this.#pool.settle();
      return;
    }
    const room = (await this.#parts.look())[part];
    const size = found[part].sizeBytes;
    const extents = Math.ceil((to - size) / room.extentBytes);
    const free = freeBytes(part, room);
    if (extents * room.extentBytes > free) {
      const { pool, group, remedy } = this.#parts;
      const reason = `its ${part} cannot grow to ${formatBytes(to)}: volume group ${group} has room for ${formatBytes(size + free)}`;
      throw new DmthinError({ code: "pool-unchanged", pool, reason, remedy });
    }
    await this.#pool.extend(found, part, { extents, extentBytes: room.extentBytes }, room.on);
  }

  readonly setWhenFull = async (how: "queue" | "error"): Promise<void> => this.#pool.setWhenFull(how);
}

/** Metadata takes each extent twice: its spare grows with it. */
const freeBytes = (part: Part, { extentBytes, freeExtents }: GroupRoom): Bytes =>
  bytes((part === "data" ? freeExtents : Math.floor(freeExtents / 2)) * extentBytes);
