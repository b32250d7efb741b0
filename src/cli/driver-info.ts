/** What a running driver tells through its admin socket: proto/admin.proto's InfoResponse. Sizes in bytes. */
export interface DriverInfo {
  readonly driverVersion: string;
  readonly node: string;
  readonly pools: readonly PoolInfo[];
}

export interface PoolInfo {
  readonly name: string;
  readonly isDefault: boolean;
  readonly status: "RECOVERING" | "LOCKED" | "READY" | "REFUSED";
  readonly refusal: string;
  readonly remedy: string;
  readonly backing: BackingInfo | undefined;
  readonly chunkBytes: number;
  readonly overcommitRatio: number;
  readonly filesystem: string;
  readonly discardOnDelete: boolean;
  readonly zeroNewBlocks: boolean;
  readonly figures: FiguresInfo | undefined;
  readonly provisionedBytes: number;
  readonly volumes: number;
  readonly snapshots: number;
  readonly groups: number;
  readonly inventory: InventoryInfo | undefined;
  readonly stuck: { readonly operation: string; readonly since: number } | undefined;
  readonly setup: SetupInfo | undefined;
  readonly care: CareInfo | undefined;
  readonly defaultVolumeBytes: number;
  readonly whenFull: string;
  readonly autoextendPercent: number;
  readonly deferredDeletions: number;
  /** 0: never. */
  readonly trimIntervalMs: number;
  /** Of a pool on whole disks, as they were last looked at. */
  readonly memberDisks: readonly string[];
  readonly excludedDisks: readonly { readonly path: string; readonly reason: string }[];
}

export type BackingInfo =
  | { readonly loop: { readonly directory: string; readonly dataBytes: number; readonly metadataBytes: number } }
  | { readonly devices: { readonly data: string; readonly metadata: string } }
  | { readonly directLvm: { readonly volumeGroup: string; readonly devices: readonly string[]; readonly metadataDevices: readonly string[] } }
  | { readonly existing: { readonly pool: string } };

export interface SpaceInfo {
  readonly used: number;
  readonly total: number;
  readonly available: number;
  readonly minimumFree: number;
}

export interface FiguresInfo {
  readonly state: string;
  readonly transactionId: number;
  readonly data: SpaceInfo;
  readonly metadata: SpaceInfo;
  readonly discardPassdown: boolean;
  /** Why discards stay in the pool; empty while they are passed down. */
  readonly discardHindrance: string;
  readonly queuesWhenFull: boolean;
  /** Of the filesystem below the pool's files. */
  readonly host: { readonly free: number; readonly reserve: number } | undefined;
}

export interface InventoryInfo {
  readonly orphans: readonly { readonly number: number; readonly mappedBytes: number; readonly transactionId: number }[];
  readonly discrepancies: readonly { readonly id: string; readonly number: number; readonly reason: string }[];
}

/** Versions are empty for what is not loaded, files for what is no loop device. */
export interface SetupInfo {
  readonly name: string;
  readonly path: string;
  readonly data: { readonly path: string; readonly file: string };
  readonly metadata: { readonly path: string; readonly file: string };
  readonly deviceMapperVersion: string;
  readonly thinPoolVersion: string;
  readonly thinVersion: string;
}

export interface CareInfo {
  readonly data: PartCareInfo;
  readonly metadata: PartCareInfo;
  /** Oldest first. */
  readonly events: readonly { readonly at: number; readonly kind: string; readonly message: string }[];
}

export interface PartCareInfo {
  readonly headroom: number;
  /** 0: never made larger by itself. */
  readonly thresholdPercent: number;
  readonly exhausted: boolean;
  readonly failure: string;
  readonly lastExtension: { readonly at: number; readonly from: number; readonly to: number } | undefined;
}
