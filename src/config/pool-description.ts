import type { Bytes } from "../units.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";

/** A pool, described once: validated, defaults filled in. The schema in config/ makes these from what people write. */
export interface PoolDescription {
  readonly name: string;
  /** The pool of volumes that name none. */
  readonly isDefault: boolean;
  readonly backing: Backing;
  /** 64 KiB to 1 GiB in steps of 64 KiB; fixed for the pool's life. Of a pool that exists it says nothing: that has its own. */
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
  /** The pool is made larger when this much of its data is used, by this much of its size; a threshold of 100 leaves it as it is. Docker's dm.thinp_autoextend_*. */
  readonly autoextend: { readonly thresholdPercent: number; readonly percent: number };
  /** What writes do when the pool has no room: `auto` lets them wait while care can still make it larger, and fail once it cannot. */
  readonly whenFull: WhenFull;
  /** How often each mounted filesystem gives back what it does not use; undefined: never. */
  readonly trim: { readonly intervalMs: number; readonly atOnce: number } | undefined;
}

export const WHEN_FULL = ["auto", "queue", "error"] as const;
export type WhenFull = (typeof WHEN_FULL)[number];

export const BACKING_KINDS = ["loop", "devices", "directLvm", "existing"] as const;
export type BackingKind = (typeof BACKING_KINDS)[number];

export type Backing = LoopBacking | DevicesBacking | DirectLvmBacking | ExistingBacking;

/** Two files on loop devices: data sparse, metadata fully allocated. For trying out. */
export interface LoopBacking {
  readonly kind: "loop";
  readonly directory: string;
  /** Of a new pool; one that is there is never made smaller, and is made larger when this says so. */
  readonly dataSize: Bytes;
  readonly metadataSize: Bytes;
  /** How far care may let the data file grow; dataSize: not at all. */
  readonly maximumDataSize: Bytes;
  /** Kept free on the filesystem below: new volumes and extension stop there. */
  readonly hostReserve: Bytes;
}

/** A data and a metadata block device, by absolute path. */
export interface DevicesBacking {
  readonly kind: "devices";
  readonly data: string;
  readonly metadata: string;
}

/** Whole disks in a volume group of our own. Docker's dm.directlvm_device. */
export interface DirectLvmBacking {
  readonly kind: "directLvm";
  /** Absolute paths, `*` and `?` allowed in the last part: /dev/disk/by-id/nvme-*. */
  readonly devices: readonly string[];
  /** Where catalogue, metadata and spare go; empty: on the same disks. */
  readonly metadataDevices: readonly string[];
  readonly volumeGroup: string;
  /** Of the volume group, after Docker: at most this much for data, this much for metadata. */
  readonly thinpPercent: number;
  readonly thinpMetaPercent: number;
  /** Overwrite a signature on a disk that is not in use. */
  readonly force: boolean;
}

/** A thin pool that an administrator made: "vg/pool", or the name of a device-mapper device. Docker's dm.thinpooldev. */
export interface ExistingBacking {
  readonly kind: "existing";
  readonly pool: string;
}
