// Made from proto/admin.proto by "npm run generate". A message that is absent is null, one of a oneof is not there;
// 64-bit numbers are decimal strings.
import type { Method } from "../method.ts";

export interface AdminService {
  readonly Info: Method<InfoRequest, InfoResponse>;
}

export type InfoRequest = Readonly<Record<never, never>>;

export interface InfoResponse {
  readonly driverVersion: string;
  readonly node: string;
  readonly pools: readonly Pool[];
}

export interface Pool {
  readonly name: string;
  readonly isDefault: boolean;
  readonly status: Pool_Status;
  readonly refusal: string;
  readonly remedy: string;
  readonly backing: Pool_Backing | null;
  readonly chunkBytes: string;
  readonly overcommitRatio: number;
  readonly filesystem: string;
  readonly discardOnDelete: boolean;
  readonly zeroNewBlocks: boolean;
  readonly figures: Pool_Figures | null;
  readonly provisionedBytes: string;
  readonly volumes: number;
  readonly snapshots: number;
  readonly groups: number;
  readonly inventory: Pool_Inventory | null;
  readonly stuck: Pool_Stuck | null;
}

export type Pool_Status = "RECOVERING" | "LOCKED" | "READY" | "REFUSED";

export interface Pool_Backing {
  readonly loop?: Pool_Backing_Loop | null;
  readonly devices?: Pool_Backing_Devices | null;
  readonly directLvm?: Pool_Backing_DirectLvm | null;
  readonly existing?: Pool_Backing_Existing | null;
}

export interface Pool_Backing_Loop {
  readonly directory: string;
  readonly dataBytes: string;
  readonly metadataBytes: string;
}

export interface Pool_Backing_Devices {
  readonly data: string;
  readonly metadata: string;
}

export interface Pool_Backing_DirectLvm {
  readonly volumeGroup: string;
  readonly devices: readonly string[];
  readonly metadataDevices: readonly string[];
}

export interface Pool_Backing_Existing {
  readonly pool: string;
}

export interface Pool_Space {
  readonly used: string;
  readonly total: string;
  readonly minimumFree: string;
}

export interface Pool_Figures {
  readonly state: string;
  readonly transactionId: string;
  readonly data: Pool_Space | null;
  readonly metadata: Pool_Space | null;
  readonly discardPassdown: boolean;
  readonly queuesWhenFull: boolean;
}

export interface Pool_Orphan {
  readonly number: number;
  readonly mappedBytes: string;
  readonly transactionId: string;
}

export interface Pool_Discrepancy {
  readonly id: string;
  readonly number: number;
  readonly reason: string;
}

export interface Pool_Inventory {
  readonly orphans: readonly Pool_Orphan[];
  readonly discrepancies: readonly Pool_Discrepancy[];
}

export interface Pool_Stuck {
  readonly operation: string;
  readonly since: string;
}
