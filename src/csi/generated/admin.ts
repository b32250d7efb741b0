// Made from proto/admin.proto by "npm run generate". A message that is absent is null, one of a oneof is not there;
// 64-bit numbers are decimal strings.
import type { Method } from "../method.ts";

export interface AdminService {
  readonly Info: Method<InfoRequest, InfoResponse>;
  readonly Volumes: Method<VolumesRequest, VolumesResponse>;
  readonly ListOrphans: Method<ListOrphansRequest, ListOrphansResponse>;
  readonly AdoptOrphan: Method<AdoptOrphanRequest, AdoptOrphanResponse>;
  readonly DeleteOrphan: Method<DeleteOrphanRequest, DeleteOrphanResponse>;
  readonly VolumeManifest: Method<VolumeManifestRequest, VolumeManifestResponse>;
  readonly TrimVolume: Method<TrimVolumeRequest, TrimVolumeResponse>;
  readonly ExtendPool: Method<ExtendPoolRequest, ExtendPoolResponse>;
  readonly AddDevices: Method<AddDevicesRequest, AddDevicesResponse>;
}

export type InfoRequest = Readonly<Record<never, never>>;

export interface InfoResponse {
  readonly driverVersion: string;
  readonly node: string;
  readonly pools: readonly Pool[];
}

export interface VolumesRequest {
  readonly pool: string;
  readonly measureMs: number;
}

export interface VolumesResponse {
  readonly volumes: readonly Volume[];
  readonly notMeasured: readonly string[];
}

export interface Volume {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly kind: Volume_Kind;
  readonly virtualBytes: string;
  readonly space: Volume_Space | null;
  readonly origin: string;
  readonly group: string;
  readonly filesystem: string;
  readonly filesystemState: string;
  readonly number: number;
  readonly createdAt: string;
  readonly stagedPath: string;
  readonly publishedPaths: readonly string[];
  readonly deleting: boolean;
  readonly deletionDelay: string;
}

export type Volume_Kind = "VOLUME" | "SNAPSHOT";

export interface Volume_Space {
  readonly mappedBytes: string;
  readonly exclusiveBytes: string;
  readonly exclusiveKnown: boolean;
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
  readonly setup: Pool_Setup | null;
  readonly care: Pool_Care | null;
  readonly defaultVolumeBytes: string;
  readonly whenFull: string;
  readonly autoextendPercent: number;
  readonly deferredDeletions: number;
  readonly trimIntervalMs: string;
  readonly memberDisks: readonly string[];
  readonly excludedDisks: readonly Pool_ExcludedDisk[];
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
  readonly discardHindrance: string;
  readonly host: Pool_Host | null;
}

export interface Pool_Host {
  readonly free: string;
  readonly reserve: string;
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

export interface Pool_Setup {
  readonly name: string;
  readonly path: string;
  readonly data: Pool_Setup_Device | null;
  readonly metadata: Pool_Setup_Device | null;
  readonly deviceMapperVersion: string;
  readonly thinPoolVersion: string;
  readonly thinVersion: string;
}

export interface Pool_Setup_Device {
  readonly path: string;
  readonly file: string;
}

export interface Pool_ExcludedDisk {
  readonly path: string;
  readonly reason: string;
}

export interface Pool_PartCare {
  readonly headroom: string;
  readonly thresholdPercent: number;
  readonly exhausted: boolean;
  readonly failure: string;
  readonly extendedAt: string;
  readonly extendedFrom: string;
  readonly extendedTo: string;
}

export interface Pool_Event {
  readonly at: string;
  readonly kind: string;
  readonly message: string;
}

export interface Pool_Care {
  readonly data: Pool_PartCare | null;
  readonly metadata: Pool_PartCare | null;
  readonly events: readonly Pool_Event[];
}

export interface ListOrphansRequest {
  readonly pool: string;
}

export interface ListOrphansResponse {
  readonly orphans: readonly ListOrphansResponse_Orphan[];
}

export interface ListOrphansResponse_Orphan {
  readonly number: number;
  readonly mappedBytes: string;
  readonly transactionId: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface AdoptOrphanRequest {
  readonly pool: string;
  readonly number: number;
  readonly name: string;
  readonly sizeBytes: string;
}

export interface AdoptOrphanResponse {
  readonly id: string;
  readonly sizeBytes: string;
  readonly filesystem: string;
  readonly manifest: string;
  readonly letGoFirst: readonly string[];
}

export interface DeleteOrphanRequest {
  readonly pool: string;
  readonly number: number;
}

export interface DeleteOrphanResponse {
  readonly waiting: boolean;
}

export interface VolumeManifestRequest {
  readonly volume: string;
  readonly pool: string;
}

export interface VolumeManifestResponse {
  readonly id: string;
  readonly manifest: string;
  readonly letGoFirst: readonly string[];
}

export interface TrimVolumeRequest {
  readonly volumeId: string;
  readonly pool: string;
}

export interface TrimVolumeResponse {
  readonly givenBackBytes: string;
  readonly leftAlone: string;
}

export interface ExtendPoolRequest {
  readonly pool: string;
  readonly part: ExtendPoolRequest_Part;
  readonly toBytes?: string;
  readonly byBytes?: string;
  readonly max?: boolean;
}

export type ExtendPoolRequest_Part = "DATA" | "METADATA";

export interface ExtendPoolResponse {
  readonly fromBytes: string;
  readonly toBytes: string;
}

export interface AddDevicesRequest {
  readonly pool: string;
  readonly devices: readonly string[];
}

export type AddDevicesResponse = Readonly<Record<never, never>>;
