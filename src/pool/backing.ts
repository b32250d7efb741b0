import type { Buffer } from "node:buffer";
import type { DeviceNumber } from "../devicemapper/device-mapper.ts";
import type { Bytes } from "../units.ts";
import type { Growth } from "./growth.ts";

export interface BackingDevice extends DeviceNumber {
  /** For the thin tools, such as "/dev/loop0". */
  readonly path: string;
  readonly sizeBytes: Bytes;
}

export interface BackingDevices {
  readonly data: BackingDevice;
  readonly metadata: BackingDevice;
  /** The pool's own device, where LVM has made and activated it; else its device and its table are ours. */
  readonly pool?: { readonly uuid: string };
}

/**
 * What a pool stands on. A new way of backing a pool is one more of these. All are idempotent; refusals are
 * "pool-refused" with what was found and what to do.
 */
export interface PoolBacking {
  /**
   * Only for a pool that was never made: creates what has to be created, and refuses what holds anything. Called again
   * after an interruption, it goes on. Never called once the catalogue says that the pool was formatted.
   */
  provision(): Promise<void>;
  /** Attaches the devices, or finds them attached. Writes nothing. */
  attach(): Promise<BackingDevices>;
  /** The first 4 KiB of the metadata device, read past every cache: where the kernel keeps the superblock. */
  readSuperblock(devices: BackingDevices): Promise<Buffer>;
  /** undefined: it stays as it is, and its table is left alone. */
  readonly growth?: Growth;
}
