import type {
  Capability,
  FilesystemState,
  GroupRecord,
  MutableParameters,
  Origin,
  Publication,
  SnapshotRecord,
  Staging,
  ThinRecord,
  VolumeRecord,
} from "../catalog/records.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";
import type { Bytes, Chunks, MetadataBlocks } from "../units.ts";
import type { PoolDisks } from "./backings/backing.ts";
import type { CareReport, ExtendTarget, Extension } from "./care/care-report.ts";
import type { Part } from "./backings/growth.ts";
import type { Measurement, PoolSetup } from "./setup.ts";

export interface NewVolume {
  readonly id: string;
  readonly name: string;
  /** Rounded up to chunk and filesystem minimum by the caller. */
  readonly sizeBytes: Bytes;
  readonly origin: Origin;
  readonly filesystem: FilesystemType | undefined;
  readonly capabilities: readonly Capability[];
  readonly mkfsOptions: readonly string[];
  readonly parameters: MutableParameters;
}

export interface NewSnapshot {
  readonly id: string;
  readonly name: string;
  readonly sourceVolumeId: string;
}

/** An active thin device. Its path is the kernel's own node: `/dev/dm-<minor>`. */
export interface ActiveDevice {
  readonly uuid: string;
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly sizeBytes: Bytes;
  /** Nothing was ever written to it: thin status `0 -`. Only such a device may be formatted without knowing more. */
  readonly empty: boolean;
}

/** The kernel's view of a pool. Source: Documentation/admin-guide/device-mapper/thin-provisioning.rst, "Status". */
export type PoolState = "rw" | "ro" | "out_of_data_space" | "needs_check" | "Fail" | "Error";

export interface PoolFigures {
  readonly state: PoolState;
  readonly transactionId: number;
  readonly chunkSize: Bytes;
  readonly data: { readonly used: Chunks; readonly total: Chunks };
  readonly metadata: { readonly used: MetadataBlocks; readonly total: MetadataBlocks };
  readonly discardPassdown: boolean;
  readonly queuesWhenFull: boolean;
  /** Of the filesystem below the pool's files, where it has such: what is free there, and what has to stay so. */
  readonly host?: { readonly freeBytes: Bytes; readonly reserveBytes: Bytes };
}

/** A thin device in the pool's metadata that no record knows. Nobody touches it without being asked. */
export interface Orphan {
  readonly number: number;
  readonly mappedBytes: Bytes;
  readonly transactionId: number;
}

/** An orphan's device, read-only, to be looked at. */
export interface ExaminedOrphan {
  readonly orphan: Orphan;
  readonly device: ActiveDevice;
  /** Up to its last mapped chunk: it is at least so large. */
  readonly leastBytes: Bytes;
}

/** What an orphan becomes. */
export interface Adoption {
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: Bytes;
  /** undefined: a block volume. */
  readonly filesystem: FilesystemType | undefined;
  readonly parameters: MutableParameters;
}

/** A record whose thin device the metadata lacks, or whose transaction id there is another. */
export interface Discrepancy {
  readonly id: string;
  readonly number: number;
  readonly reason: "missing" | "other-transaction-id";
}

/** Why a deletion is not carried out yet: somebody has the device open, the kernel takes no changes, or it went wrong. It is tried again. */
export type DeletionDelay = "held-open" | "pool-not-writable" | "failed";

export interface Inventory {
  readonly orphans: readonly Orphan[];
  readonly discrepancies: readonly Discrepancy[];
}

/** What the actor tells unasked, in the order in which it happened. An answer always comes after the news it caused. */
export type PoolNews =
  /** All of the catalogue, at start: what was told before is void. */
  | { readonly kind: "catalog"; readonly poolUuid: string; readonly thins: readonly ThinRecord[]; readonly groups: readonly GroupRecord[] }
  | { readonly kind: "thin"; readonly record: ThinRecord }
  | { readonly kind: "thin-gone"; readonly id: string }
  /** Told when it begins to wait, and when the reason changes; it ends with "thin-gone". */
  | { readonly kind: "deletion-delayed"; readonly id: string; readonly delay: DeletionDelay }
  | { readonly kind: "group"; readonly record: GroupRecord }
  | { readonly kind: "group-gone"; readonly id: string }
  | { readonly kind: "figures"; readonly figures: PoolFigures }
  | { readonly kind: "care"; readonly care: CareReport }
  /** Of every thin device that is active. */
  | { readonly kind: "mapped"; readonly mapped: ReadonlyMap<string, Bytes> }
  | { readonly kind: "inventory"; readonly inventory: Inventory }
  | { readonly kind: "setup"; readonly setup: PoolSetup }
  | { readonly kind: "disks"; readonly disks: PoolDisks }
  | { readonly kind: "measured"; readonly measurement: Measurement }
  /** A program that is never killed has outlived its deadline, and the pool waits for it; undefined: it has ended. */
  | { readonly kind: "stuck"; readonly stuck: { readonly operation: string; readonly since: Date } | undefined }
  | { readonly kind: "status"; readonly status: PoolStatus };

/** Whether the pool serves. `recovering` and `locked` pass by themselves, `refused` needs a person. */
export type PoolStatus =
  /** `reason`: why the last attempt failed; it is repeated. `neverMade`: it never was a pool here, so that nothing of it can be in use. */
  | { readonly kind: "recovering"; readonly reason?: string; readonly neverMade?: true }
  | { readonly kind: "locked" }
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string; readonly neverMade?: true };

/**
 * What a pool's actor can be asked. Arguments and answers are plain data: they may cross a thread. Each call runs as
 * one transition, one after the other; each is idempotent in that a repeated call finds what it made.
 * Records of a pool are read from its view (pool.ts), never asked for.
 */
export interface PoolCalls {
  /** Blank, restore or clone. "already-exists" is the caller's to find: here an id that exists answers its record. */
  createVolume(volume: NewVolume): Promise<VolumeRecord>;
  /** One moment for all: every origin suspended, then all snapped, then all resumed. One member for a plain snapshot. */
  createSnapshots(snapshots: readonly NewSnapshot[], group: { readonly id: string; readonly name: string } | undefined): Promise<readonly SnapshotRecord[]>;
  /** The table follows when the device is active. Smaller than now is ignored. */
  expand(id: string, sizeBytes: Bytes): Promise<VolumeRecord>;
  modify(id: string, parameters: MutableParameters): Promise<VolumeRecord>;
  /** Durable when answered; the kernel's part may follow later. Unknown ids are success. The caller has seen that nothing is staged. */
  remove(id: string): Promise<void>;
  /** A group and its snapshots. */
  removeGroup(id: string): Promise<void>;

  /** Makes the device, or finds it: cancels a deferred removal, copes with losing that race. */
  activate(id: string, options: { readonly readOnly: boolean }): Promise<ActiveDevice>;
  /** Removes the device; `deferred` when it is still open: the kernel removes it on last close. Gone is "removed". */
  deactivate(id: string): Promise<"removed" | "deferred">;
  /** Committed before it answers. */
  setFilesystem(
    id: string,
    change: { readonly state?: FilesystemState; readonly renewIdentity?: boolean; readonly growFilesystem?: boolean; readonly trimmedAt?: Date },
  ): Promise<VolumeRecord>;
  setStaging(id: string, staging: Staging | undefined): Promise<VolumeRecord>;
  setPublications(id: string, publications: readonly Publication[]): Promise<VolumeRecord>;
  /** Bytes that the device maps, from its thin status; undefined while it is not active or its pool has failed. */
  mapped(id: string): Promise<Bytes | undefined>;
  /** Reads the kernel's figures anew and publishes them; care decides by them what has to be done, and does it afterwards. */
  refresh(): Promise<PoolFigures>;
  /**
   * Makes a part larger, online; answers it as it then is. As large as asked already: `fromBytes` and `toBytes` are the
   * same. Throws "out-of-range" when less is left, and "pool-unchanged" with what is in the way.
   */
  extend(part: Part, target: ExtendTarget): Promise<Extension>;
  /** More disks below the pool, which `extend` and care then use. Those that it has already are success. Throws "pool-unchanged". */
  addDevices(paths: readonly string[]): Promise<void>;
  /** One listing beside a metadata snapshot; shared by all who ask at the same time. */
  inventory(): Promise<Inventory>;
  /** An inventory that also tells what each thin device maps alone, which takes longer. Told as news. */
  measure(): Promise<void>;

  /** Activates an orphan, read-only, under the id that it may get. Throws "not-found". Ended by `deactivate`, or by `adoptOrphan`. */
  examineOrphan(number: number, id: string): Promise<ExaminedOrphan>;
  /** Makes a volume of an orphan. Repeated, finds it done. Throws "not-found", "already-exists". */
  adoptOrphan(adoption: Adoption): Promise<VolumeRecord>;
  /** Durable when answered; `waiting`: something holds it open, or the pool cannot be written, and the kernel's part follows. Throws "not-found". */
  removeOrphan(number: number, id: string): Promise<"removed" | "waiting">;
}
