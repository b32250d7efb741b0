import type { DeviceNumber } from "../../devicemapper/device-mapper.ts";
import type { Bytes } from "../../units.ts";
import type { LeftAtWork } from "../../lvm/lvm.ts";
import type { Growth } from "./growth.ts";

export interface BackingDevice extends DeviceNumber {
  /** For the thin tools, such as "/dev/loop0". */
  readonly path: string;
  readonly sizeBytes: Bytes;
  /** The file that a loop device shows. */
  readonly file?: string;
  /** The largest discard that it takes at once, 0: none. */
  readonly discardMaxBytes?: Bytes;
}

export interface BackingDevices {
  readonly data: BackingDevice;
  readonly metadata: BackingDevice;
  /** The pool's own device, where another than the driver makes it (LVM, or an administrator), active or not; else its device and its table are ours. */
  readonly pool?: { readonly uuid: string };
}

/** Of a pool whose disks the driver takes itself: as they were when it last looked, at a start and when disks were added. */
export interface PoolDisks {
  /** Its own, by the names under which they were found. */
  readonly members: readonly string[];
  readonly excluded: readonly ExcludedDisk[];
}

/** A disk that the description names, or one of its patterns finds, and that is not taken. */
export interface ExcludedDisk {
  readonly path: string;
  readonly reason: string;
}

/**
 * What a pool stands on. A new way of backing a pool is one more of these. All are idempotent; refusals are
 * "pool-refused" with what was found and what to do.
 */
export interface PoolBacking {
  /** Names, bottom up, of the kernel devices below the volumes that LVM makes, and may have left suspended when it was killed. */
  readonly lvmDevices?: readonly string[];
  /**
   * The folder of the pool's catalogue, where the backing has a place for it: made and mounted, or found so. Comes before
   * everything else, `provision` too, which goes on where this has begun. Absent: the pool's folder in the state directory.
   */
  openCatalogFolder?(options?: { readonly remake: boolean }): Promise<string>;
  /** Whether that place is there: one that was lost is made anew only where somebody asks for it (`remake`). Changes nothing. */
  hasCatalogFolder?(): Promise<boolean>;
  /** Where a copy of the catalogue is kept that lies in the state directory, so that the disks have one too; undefined: nowhere. */
  readonly catalogCopyFolder?: string;
  /** After the catalogue was closed. */
  closeCatalogFolder?(): Promise<void>;
  /** Where the pool was made by somebody else: its chunk size. */
  chunkSize?(): Promise<Bytes>;
  /**
   * Only for a pool that was never made: creates what has to be created, and refuses what holds anything. Called again
   * after an interruption, it goes on. Never called once the catalogue says that the pool was formatted.
   */
  provision(): Promise<void>;
  /** Attaches the devices, or finds them attached. Writes nothing. */
  attach(): Promise<BackingDevices>;
  /** Where the pool is refused after that: gives back what only `attach` had made readable. */
  detach?(): Promise<void>;
  /**
   * Where the pool's device is another's to make: activates it, after what `attach` found has been examined, or finds it
   * active, and puts right what an interrupted change has left. Answers the devices as they are then.
   */
  activatePool?(): Promise<BackingDevices>;
  /** Lets go of what `attach` and `activatePool` hold, once nothing of the pool is active above it. Repeated, finds it done. */
  release?(): Promise<void>;
  /**
   * Where LVM has the metadata: writes it anew, by thin_repair with these options, with nothing of the pool active. Answers
   * under which names the old metadata is kept.
   */
  repairMetadata?(thinRepairOptions: readonly string[]): Promise<readonly string[]>;
  /** Where disks are found by patterns; undefined until they were looked at. Known of a pool that was refused, too. */
  readonly disks?: PoolDisks | undefined;
  /** Where programs that are never killed make, activate or grow the pool: those that are at work now. */
  leftAtWork?(): LeftAtWork | undefined;
  /** More disks for a pool that serves, after `provision`'s rules; `growth` tells what they add. Throws "pool-unchanged" where the backing has no place for them. */
  addDevices?(paths: readonly string[]): Promise<void>;
  /** Where disks are added by hand and found by patterns: those that `wipe` will make blank, as an administrator names them. */
  disksToWipe?(): Promise<readonly string[]>;
  /** Takes apart what `provision` has made, once nothing of the pool is active: the disks, or their place, are blank again. Repeated, goes on. */
  wipe?(): Promise<void>;
  /** undefined: it stays as it is, and its table is left alone. */
  readonly growth?: Growth;
}
