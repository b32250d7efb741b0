import type { Bytes } from "../units.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";

/** `none`: never formatted. `formatting`: mkfs was begun and not seen to end. `formatted`: never formatted again. */
export type FilesystemState = "none" | "formatting" | "formatted";

export type AccessType = "mount" | "block";

/** The CSI access modes that a volume on one node can have. Source: csi.proto, VolumeCapability.AccessMode. */
export type AccessMode = "SINGLE_NODE_WRITER" | "SINGLE_NODE_READER_ONLY" | "SINGLE_NODE_SINGLE_WRITER" | "SINGLE_NODE_MULTI_WRITER";

export interface Capability {
  readonly access: AccessType;
  /** undefined for block. */
  readonly filesystem: FilesystemType | undefined;
  readonly mountFlags: readonly string[];
  readonly mode: AccessMode;
}

/** What may be changed while a volume lives. */
export interface MutableParameters {
  /** Give the blocks back to the disk before the thin device is deleted. */
  readonly discardOnDelete: boolean;
  /** "auto": the kernel's default while a full pool queues, 0 when it fails writes. */
  readonly xfsNospaceMaxRetries: number | "auto";
}

export type Origin = { readonly kind: "blank" } | { readonly kind: "snapshot"; readonly id: string } | { readonly kind: "volume"; readonly id: string };

interface Thin {
  /** vol-… or snap-…: derived from the name, see names.ts. */
  readonly id: string;
  /** As the caller gave it. */
  readonly name: string;
  /** The thin device number in its pool, 24 bits, never used twice. */
  readonly number: number;
  readonly sizeBytes: Bytes;
  readonly createdAt: Date;
  /** The pool's transaction id at which the thin device was made, as `thin_ls` shows it. */
  readonly transactionId: number;
  /** `deleting`: gone for its users; the kernel's part follows when nobody holds it open and the pool can be written. */
  readonly state: "ready" | "deleting";
  readonly filesystem: { readonly type: FilesystemType | undefined; readonly state: FilesystemState };
}

export interface VolumeRecord extends Thin {
  readonly kind: "volume";
  readonly origin: Origin;
  readonly capabilities: readonly Capability[];
  readonly mkfsOptions: readonly string[];
  readonly parameters: MutableParameters;
  /** A btrfs clone that still has its origin's fsid. */
  readonly renewIdentity: boolean;
  /** The device is larger than the filesystem on it: grown at the next stage or expansion. */
  readonly growFilesystem: boolean;
  /** When its filesystem last gave back all that it does not use. */
  readonly trimmedAt?: Date;
  readonly staging: Staging | undefined;
  readonly publications: readonly Publication[];
}

export interface SnapshotRecord extends Thin {
  readonly kind: "snapshot";
  readonly sourceVolumeId: string;
  readonly groupId: string | undefined;
}

export type ThinRecord = VolumeRecord | SnapshotRecord;

export interface GroupRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  /** In the order of their source volumes as asked. */
  readonly snapshotIds: readonly string[];
  readonly sourceVolumeIds: readonly string[];
}

/** Where a volume is staged, kept so that a repeated call can be compared; one of another boot is dropped at start. */
export interface Staging {
  readonly path: string;
  readonly capability: Capability;
}

export interface Publication {
  readonly path: string;
  readonly readOnly: boolean;
  readonly capability: Capability;
}
