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
}

export type BackingInfo =
  | { readonly loop: { readonly directory: string; readonly dataBytes: number; readonly metadataBytes: number } }
  | { readonly devices: { readonly data: string; readonly metadata: string } }
  | { readonly directLvm: { readonly volumeGroup: string; readonly devices: readonly string[]; readonly metadataDevices: readonly string[] } }
  | { readonly existing: { readonly pool: string } };

export interface SpaceInfo {
  readonly used: number;
  readonly total: number;
  readonly minimumFree: number;
}

export interface FiguresInfo {
  readonly state: string;
  readonly transactionId: number;
  readonly data: SpaceInfo;
  readonly metadata: SpaceInfo;
  readonly discardPassdown: boolean;
  readonly queuesWhenFull: boolean;
}

export interface InventoryInfo {
  readonly orphans: readonly { readonly number: number; readonly mappedBytes: number; readonly transactionId: number }[];
  readonly discrepancies: readonly { readonly id: string; readonly number: number; readonly reason: string }[];
}
