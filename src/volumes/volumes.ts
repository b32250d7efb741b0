import type { Capability, GroupRecord, MutableParameters, Origin, SnapshotRecord, VolumeRecord } from "../catalog/records.ts";
import type { Usage } from "../filesystem/filesystems.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";
import type { Bytes } from "../units.ts";

/** What every call carries: it ends when `signal` aborts, and says so with "deadline" when that was its time limit. */
export interface Call {
  readonly signal: AbortSignal;
  /** Milliseconds since 1970; undefined when the caller set none. */
  readonly deadline: number | undefined;
  readonly requestId: string;
}

export interface SizeRange {
  /** 0n when not given. From the wire: up to 2^63 - 1, so not yet Bytes. */
  readonly requiredBytes: bigint;
  readonly limitBytes: bigint | undefined;
}

/** Undefined means the pool's own default. */
export interface VolumeParameters {
  readonly pool: string | undefined;
  readonly filesystem: FilesystemType | undefined;
  readonly mkfsOptions: readonly string[];
  readonly mutable: Partial<MutableParameters>;
}

/** A claim of Kubernetes. */
export interface ClaimWanted {
  readonly namespace: string;
  readonly name: string;
}

export interface VolumeWanted {
  readonly name: string;
  readonly size: SizeRange;
  readonly capabilities: readonly Capability[];
  readonly parameters: VolumeParameters;
  readonly origin: Origin;
  readonly topology: TopologyWanted | undefined;
  /** What the volume is for, where the caller has said it: only a cluster knows of claims. */
  readonly claim?: ClaimWanted;
}

export interface GroupWanted {
  readonly name: string;
  readonly sourceVolumeIds: readonly string[];
}

/** Node names from the topology key `topology.dmthin.io/node`; any of `requisite`, `preferred` in order first. */
export interface TopologyWanted {
  readonly requisite: readonly string[];
  readonly preferred: readonly string[];
}

/** A condition in words, for users. */
export interface Condition {
  readonly abnormal: boolean;
  readonly message: string;
}

export interface Volume {
  readonly record: VolumeRecord;
  readonly pool: string;
  readonly node: string;
  readonly condition: Condition;
}

export interface Snapshot {
  readonly record: SnapshotRecord;
  readonly pool: string;
  readonly node: string;
}

export interface Group {
  readonly record: GroupRecord;
  readonly snapshots: readonly Snapshot[];
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

export interface PageRequest {
  /** 0: all. */
  readonly maxEntries: number;
  /** Empty: from the start. "bad-page-token" for one that is none. */
  readonly startingToken: string;
}

export interface Capacity {
  readonly availableBytes: Bytes;
  readonly minimumVolumeBytes: Bytes;
  readonly maximumVolumeBytes: Bytes;
}

/**
 * The hinge: what the CSI controller services ask. LocalVolumes does it on this machine; ClusterVolumes through objects
 * that some node's LocalVolumes fulfils. Every call is idempotent, safe to repeat, and excludes others on the same id
 * ("in-progress"). Sizes, names and parameters have been parsed, not judged: whether they can be had is decided here.
 */
export interface Volumes {
  create(wanted: VolumeWanted, call: Call): Promise<Volume>;
  delete(id: string, call: Call): Promise<void>;
  get(id: string, call: Call): Promise<Volume>;
  list(page: PageRequest, call: Call): Promise<Page<Volume>>;
  expand(id: string, size: SizeRange, call: Call): Promise<Volume>;
  modify(id: string, change: Partial<MutableParameters>, call: Call): Promise<void>;
  capacity(
    wanted: { readonly pool: string | undefined; readonly node: string | undefined; readonly filesystem: FilesystemType | undefined },
    call: Call,
  ): Promise<Capacity>;

  createSnapshot(wanted: { readonly name: string; readonly sourceVolumeId: string }, call: Call): Promise<Snapshot>;
  deleteSnapshot(id: string, call: Call): Promise<void>;
  getSnapshot(id: string, call: Call): Promise<Snapshot>;
  listSnapshots(
    filter: { readonly snapshotId: string | undefined; readonly sourceVolumeId: string | undefined },
    page: PageRequest,
    call: Call,
  ): Promise<Page<Snapshot>>;

  createGroup(wanted: GroupWanted, call: Call): Promise<Group>;
  /** "invalid-argument" when the ids are not the group's, "not-found" never: gone is success. */
  deleteGroup(id: string, snapshotIds: readonly string[], call: Call): Promise<void>;
  getGroup(id: string, snapshotIds: readonly string[], call: Call): Promise<Group>;
}

export interface StageWanted {
  readonly id: string;
  readonly path: string;
  readonly capability: Capability;
}

export interface PublishWanted {
  readonly id: string;
  readonly stagingPath: string;
  readonly path: string;
  readonly capability: Capability;
  readonly readOnly: boolean;
}

export interface VolumeStats {
  /** undefined for a block volume, and for one whose device is suspended just now. */
  readonly usage: Usage | undefined;
  /** The device's size. */
  readonly sizeBytes: Bytes;
  readonly condition: Condition;
}

/** What the CSI node service asks, always of this machine. */
export interface NodeVolumes {
  readonly node: string;
  stage(wanted: StageWanted, call: Call): Promise<void>;
  unstage(id: string, path: string, call: Call): Promise<void>;
  publish(wanted: PublishWanted, call: Call): Promise<void>;
  unpublish(id: string, path: string, call: Call): Promise<void>;
  /** "not-found" when the volume is not at that path. */
  stats(id: string, path: string, call: Call): Promise<VolumeStats>;
  /** Grows the filesystem to its device; answers the device's size. "not-found" when the volume is not at that path. */
  expandFilesystem(id: string, path: string, call: Call): Promise<Bytes>;
  /** Whether every pool that should serve does, with a sentence on those that do not. For Probe, /healthz and info. */
  health(): Condition;
}
