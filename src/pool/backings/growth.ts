import type { Bytes } from "../../units.ts";

/** A pool's two devices, and what can be made larger. */
export type Part = "data" | "metadata";
export const PARTS: readonly Part[] = ["data", "metadata"];
export type PartSizes = Readonly<Record<Part, Bytes>>;

/** Of a filesystem below a pool's files. */
export interface HostSpace {
  readonly freeBytes: Bytes;
  /** New volumes and extension stop here. */
  readonly reserveBytes: Bytes;
}

/** Care keeps to the limits that the description sets for it; who asks by hand may go beyond, as far as there is room. */
export type Grower = "care" | "request";

/**
 * How a pool's backing is made larger. The caller holds the pool's gate while it grows: no thin device is suspended
 * meanwhile, and none will be. Nothing here is ended by a deadline.
 */
export interface Growth {
  /** By how much each device could be made larger than `current` now, in bytes; looked at anew. */
  room(current: PartSizes, grower: Grower): Promise<PartSizes>;
  /**
   * Makes the device at least `to` bytes large. Repeated, finds it done. Where LVM has the pool's device its table
   * follows within this call, which then runs in the pool's turn; elsewhere the caller loads the larger table afterwards.
   * Throws "pool-unchanged" with what is in the way.
   */
  grow(part: Part, to: Bytes): Promise<void>;
  /** Only where LVM has the pool's device: elsewhere the caller loads a table. Repeated, finds it done. */
  readonly setWhenFull?: (how: "queue" | "error") => Promise<void>;
  /** Only where the description says a size: what each device should have at the least. */
  readonly least?: PartSizes;
  /** Only where the pool lies on files: cheap enough for every creation. */
  readonly hostSpace?: () => HostSpace;
}
