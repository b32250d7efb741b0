import { formatBytes, bytes, type Bytes } from "../units.ts";
import { disksFor } from "./catalog-volume.ts";
import type { OwnGroup } from "./direct-lvm-group.ts";
import { refused, type DirectLvmParts } from "./direct-lvm-parts.ts";
import type { Growth, Part, PartSizes } from "./growth.ts";
import { EXTENT_BYTES, MOST_METADATA } from "./lvm-layout.ts";
import type { LvmPool } from "./lvm-pool.ts";

/** Extends a part of the pool by the volume group's free extents: LVM loads the tables, while volumes are written to. */
export class DirectLvmGrowth implements Growth {
  readonly #parts: DirectLvmParts;
  readonly #pool: LvmPool;
  readonly #own: () => Promise<OwnGroup>;

  constructor(parts: DirectLvmParts, pool: LvmPool, { own }: { readonly own: () => Promise<OwnGroup> }) {
    this.#parts = parts;
    this.#pool = pool;
    this.#own = own;
  }

  async room(current: PartSizes): Promise<PartSizes> {
    const own = await this.#own();
    const mostMetadata = Math.max(0, MOST_METADATA - current.metadata);
    return { data: free(own, "data"), metadata: bytes(Math.min(free(own, "metadata"), mostMetadata)) };
  }

  async grow(part: Part, to: Bytes): Promise<void> {
    const found = await this.#pool.find();
    const size = found?.[part].sizeBytes ?? 0;
    const wanted = Math.ceil((to - size) / EXTENT_BYTES);
    if (found === undefined || wanted <= 0) {
      await this.#pool.settle();
      return;
    }
    const own = await this.#own();
    const available = free(own, part) / EXTENT_BYTES;
    if (wanted > available) {
      const reason = `its ${part} cannot grow to ${formatBytes(to)}: volume group ${own.group.name} has room for ${formatBytes(size + available * EXTENT_BYTES)}`;
      throw refused(this.#parts, reason, "add a disk with dmthin pool extend --add-device");
    }
    await this.#pool.extend(part, { extents: wanted, extentBytes: EXTENT_BYTES }, disksFor(own, part));
    await this.#pool.settle();
  }

  readonly setWhenFull = async (how: "queue" | "error"): Promise<void> => this.#pool.setWhenFull(how);
}

/** Metadata takes each extent twice: its spare grows with it. */
function free(own: OwnGroup, part: Part): Bytes {
  const names = disksFor(own, part);
  const extents = own.disks.reduce((sum, { volume }) => sum + (volume !== undefined && names.includes(volume.device) ? volume.freeExtents : 0), 0);
  return bytes((part === "data" ? extents : Math.floor(extents / 2)) * EXTENT_BYTES);
}
