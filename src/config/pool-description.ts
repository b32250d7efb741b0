import type { Bytes } from "../units.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";

/** A pool, described once: validated, defaults filled in. The schema in config/ makes these from what people write. */
export interface PoolDescription {
  readonly name: string;
  /** The pool of volumes that name none. */
  readonly isDefault: boolean;
  readonly backing: Backing;
  /** 64 KiB to 1 GiB in steps of 64 KiB; fixed for the pool's life. */
  readonly chunkSize: Bytes;
  /** Zero new blocks before they are handed out. */
  readonly zeroNewBlocks: boolean;
  /** New volumes and snapshots need this much of the pool free, in percent of its size, after Docker's dm.min_free_space. */
  readonly minimumFree: { readonly dataPercent: number; readonly metadataPercent: number };
  /** How many times the pool's size may be promised to volumes. */
  readonly overcommitRatio: number;
  readonly defaultVolumeSize: Bytes;
  readonly filesystem: FilesystemType;
  readonly discardOnDelete: boolean;
}

/** `directLvm` and `existing` join these two. */
export type Backing = LoopBacking | DevicesBacking;

/** Two files on loop devices: data sparse, metadata fully allocated. For trying out. */
export interface LoopBacking {
  readonly kind: "loop";
  readonly directory: string;
  readonly dataSize: Bytes;
  readonly metadataSize: Bytes;
}

/** A data and a metadata block device, by absolute path. */
export interface DevicesBacking {
  readonly kind: "devices";
  readonly data: string;
  readonly metadata: string;
}
