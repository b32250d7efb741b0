import type { Bytes } from "../units.ts";

/** A pool's two devices, and what can be made larger. */
export type Part = "data" | "metadata";
export type PartSizes = Readonly<Record<Part, Bytes>>;

/**
 * How a pool's backing is made larger. The caller holds the pool's gate: no thin device is suspended meanwhile, and none
 * will be. Nothing here is ended by a deadline.
 */
export interface Growth {
  /** How far each device could be made larger than `current` now, in bytes; looked at anew. */
  room(current: PartSizes): Promise<PartSizes>;
  /**
   * Makes the device at least `to` bytes large. Repeated, finds it done. Where LVM has the pool's device its table
   * follows within this call; elsewhere the caller loads the larger table afterwards.
   * Throws "pool-refused" with what is in the way.
   */
  grow(part: Part, to: Bytes): Promise<void>;
}
