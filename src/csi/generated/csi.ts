// Made from proto/csi.proto by "npm run generate". A message that is absent is null, one of a oneof is not there;
// 64-bit numbers are decimal strings.
import type { Method } from "../method.ts";

export interface Timestamp {
  readonly seconds: string;
  readonly nanos: number;
}

export interface BoolValue {
  readonly value: boolean;
}

export interface Int64Value {
  readonly value: string;
}

export interface IdentityService {
  readonly GetPluginInfo: Method<GetPluginInfoRequest, GetPluginInfoResponse>;
  readonly GetPluginCapabilities: Method<GetPluginCapabilitiesRequest, GetPluginCapabilitiesResponse>;
  readonly Probe: Method<ProbeRequest, ProbeResponse>;
}

export interface ControllerService {
  readonly CreateVolume: Method<CreateVolumeRequest, CreateVolumeResponse>;
  readonly DeleteVolume: Method<DeleteVolumeRequest, DeleteVolumeResponse>;
  readonly ControllerPublishVolume: Method<ControllerPublishVolumeRequest, ControllerPublishVolumeResponse>;
  readonly ControllerUnpublishVolume: Method<ControllerUnpublishVolumeRequest, ControllerUnpublishVolumeResponse>;
  readonly ValidateVolumeCapabilities: Method<ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse>;
  readonly ListVolumes: Method<ListVolumesRequest, ListVolumesResponse>;
  readonly ControllerListVolumeHealth: Method<ControllerListVolumeHealthRequest, ControllerListVolumeHealthResponse>;
  readonly ControllerGetVolumeHealth: Method<ControllerGetVolumeHealthRequest, ControllerGetVolumeHealthResponse>;
  readonly GetCapacity: Method<GetCapacityRequest, GetCapacityResponse>;
  readonly ControllerGetCapabilities: Method<ControllerGetCapabilitiesRequest, ControllerGetCapabilitiesResponse>;
  readonly CreateSnapshot: Method<CreateSnapshotRequest, CreateSnapshotResponse>;
  readonly DeleteSnapshot: Method<DeleteSnapshotRequest, DeleteSnapshotResponse>;
  readonly ListSnapshots: Method<ListSnapshotsRequest, ListSnapshotsResponse>;
  readonly GetSnapshot: Method<GetSnapshotRequest, GetSnapshotResponse>;
  readonly ControllerExpandVolume: Method<ControllerExpandVolumeRequest, ControllerExpandVolumeResponse>;
  readonly ControllerGetVolume: Method<ControllerGetVolumeRequest, ControllerGetVolumeResponse>;
  readonly ControllerModifyVolume: Method<ControllerModifyVolumeRequest, ControllerModifyVolumeResponse>;
}

export interface GroupControllerService {
  readonly GroupControllerGetCapabilities: Method<GroupControllerGetCapabilitiesRequest, GroupControllerGetCapabilitiesResponse>;
  readonly CreateVolumeGroupSnapshot: Method<CreateVolumeGroupSnapshotRequest, CreateVolumeGroupSnapshotResponse>;
  readonly DeleteVolumeGroupSnapshot: Method<DeleteVolumeGroupSnapshotRequest, DeleteVolumeGroupSnapshotResponse>;
  readonly GetVolumeGroupSnapshot: Method<GetVolumeGroupSnapshotRequest, GetVolumeGroupSnapshotResponse>;
}

export interface NodeService {
  readonly NodeStageVolume: Method<NodeStageVolumeRequest, NodeStageVolumeResponse>;
  readonly NodeUnstageVolume: Method<NodeUnstageVolumeRequest, NodeUnstageVolumeResponse>;
  readonly NodePublishVolume: Method<NodePublishVolumeRequest, NodePublishVolumeResponse>;
  readonly NodeUnpublishVolume: Method<NodeUnpublishVolumeRequest, NodeUnpublishVolumeResponse>;
  readonly NodeGetVolumeStats: Method<NodeGetVolumeStatsRequest, NodeGetVolumeStatsResponse>;
  readonly NodeGetVolumeHealth: Method<NodeGetVolumeHealthRequest, NodeGetVolumeHealthResponse>;
  readonly NodeGetStorageHealth: Method<NodeGetStorageHealthRequest, NodeGetStorageHealthResponse>;
  readonly NodeExpandVolume: Method<NodeExpandVolumeRequest, NodeExpandVolumeResponse>;
  readonly NodeGetCapabilities: Method<NodeGetCapabilitiesRequest, NodeGetCapabilitiesResponse>;
  readonly NodeGetInfo: Method<NodeGetInfoRequest, NodeGetInfoResponse>;
}

export type GetPluginInfoRequest = Readonly<Record<never, never>>;

export interface GetPluginInfoResponse {
  readonly name: string;
  readonly vendorVersion: string;
  readonly manifest: Readonly<Record<string, string>>;
}

export type GetPluginCapabilitiesRequest = Readonly<Record<never, never>>;

export interface GetPluginCapabilitiesResponse {
  readonly capabilities: readonly PluginCapability[];
}

export interface PluginCapability {
  readonly service?: PluginCapability_Service | null;
  readonly volumeExpansion?: PluginCapability_VolumeExpansion | null;
}

export interface PluginCapability_Service {
  readonly type: PluginCapability_Service_Type;
}

export type PluginCapability_Service_Type = "UNKNOWN" | "CONTROLLER_SERVICE" | "VOLUME_ACCESSIBILITY_CONSTRAINTS" | "GROUP_CONTROLLER_SERVICE" | "SNAPSHOT_METADATA_SERVICE" | "SNAPSHOT_ACCESSIBILITY_CONSTRAINTS";

export interface PluginCapability_VolumeExpansion {
  readonly type: PluginCapability_VolumeExpansion_Type;
}

export type PluginCapability_VolumeExpansion_Type = "UNKNOWN" | "ONLINE" | "OFFLINE";

export type ProbeRequest = Readonly<Record<never, never>>;

export interface ProbeResponse {
  readonly ready: BoolValue | null;
}

export interface CreateVolumeRequest {
  readonly name: string;
  readonly capacityRange: CapacityRange | null;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContentSource: VolumeContentSource | null;
  readonly accessibilityRequirements: TopologyRequirement | null;
  readonly mutableParameters: Readonly<Record<string, string>>;
}

export interface CapacityRange {
  readonly requiredBytes: string;
  readonly limitBytes: string;
}

export interface VolumeCapability {
  readonly block?: VolumeCapability_BlockVolume | null;
  readonly mount?: VolumeCapability_MountVolume | null;
  readonly accessMode: VolumeCapability_AccessMode | null;
}

export type VolumeCapability_BlockVolume = Readonly<Record<never, never>>;

export interface VolumeCapability_MountVolume {
  readonly fsType: string;
  readonly mountFlags: readonly string[];
  readonly volumeMountGroup: string;
}

export interface VolumeCapability_AccessMode {
  readonly mode: VolumeCapability_AccessMode_Mode;
}

export type VolumeCapability_AccessMode_Mode = "UNKNOWN" | "SINGLE_NODE_WRITER" | "SINGLE_NODE_READER_ONLY" | "MULTI_NODE_READER_ONLY" | "MULTI_NODE_SINGLE_WRITER" | "MULTI_NODE_MULTI_WRITER" | "SINGLE_NODE_SINGLE_WRITER" | "SINGLE_NODE_MULTI_WRITER";

export interface VolumeContentSource {
  readonly snapshot?: VolumeContentSource_SnapshotSource | null;
  readonly volume?: VolumeContentSource_VolumeSource | null;
}

export interface VolumeContentSource_SnapshotSource {
  readonly snapshotId: string;
}

export interface VolumeContentSource_VolumeSource {
  readonly volumeId: string;
}

export interface TopologyRequirement {
  readonly requisite: readonly Topology[];
  readonly preferred: readonly Topology[];
}

export interface Topology {
  readonly segments: Readonly<Record<string, string>>;
}

export interface CreateVolumeResponse {
  readonly volume: Volume | null;
}

export interface Volume {
  readonly capacityBytes: string;
  readonly volumeId: string;
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly contentSource: VolumeContentSource | null;
  readonly accessibleTopology: readonly Topology[];
}

export interface DeleteVolumeRequest {
  readonly volumeId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export type DeleteVolumeResponse = Readonly<Record<never, never>>;

export interface ControllerPublishVolumeRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly volumeCapability: VolumeCapability | null;
  readonly readonly: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}

export interface ControllerPublishVolumeResponse {
  readonly publishContext: Readonly<Record<string, string>>;
}

export interface ControllerUnpublishVolumeRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export type ControllerUnpublishVolumeResponse = Readonly<Record<never, never>>;

export interface ValidateVolumeCapabilitiesRequest {
  readonly volumeId: string;
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}

export interface ValidateVolumeCapabilitiesResponse {
  readonly confirmed: ValidateVolumeCapabilitiesResponse_Confirmed | null;
  readonly message: string;
}

export interface ValidateVolumeCapabilitiesResponse_Confirmed {
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}

export interface ListVolumesRequest {
  readonly maxEntries: number;
  readonly startingToken: string;
}

export interface ListVolumesResponse {
  readonly entries: readonly ListVolumesResponse_Entry[];
  readonly nextToken: string;
}

export interface ListVolumesResponse_VolumeStatus {
  readonly publishedNodeIds: readonly string[];
  readonly volumeCondition: VolumeCondition | null;
}

export interface ListVolumesResponse_Entry {
  readonly volume: Volume | null;
  readonly status: ListVolumesResponse_VolumeStatus | null;
}

export interface VolumeCondition {
  readonly abnormal: boolean;
  readonly message: string;
}

export interface ControllerListVolumeHealthRequest {
  readonly maxEntries: number;
  readonly startingToken: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface ControllerListVolumeHealthResponse {
  readonly entries: readonly VolumeHealth[];
  readonly nextToken: string;
}

export interface VolumeHealth {
  readonly volumeId: string;
  readonly healthStatuses: readonly VolumeHealth_VolumeHealthEntry[];
}

export interface VolumeHealth_VolumeHealthEntry {
  readonly status: VolumeHealthErrorType;
  readonly reason: string;
  readonly message: string;
}

export type VolumeHealthErrorType = "UNKNOWN_VOLUME_HEALTH_TYPE" | "DEGRADED" | "INACCESSIBLE" | "DATA_LOSS";

export interface ControllerGetVolumeHealthRequest {
  readonly volumeId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface ControllerGetVolumeHealthResponse {
  readonly volumeHealth: VolumeHealth | null;
}

export interface GetCapacityRequest {
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessibleTopology: Topology | null;
}

export interface GetCapacityResponse {
  readonly availableCapacity: string;
  readonly maximumVolumeSize: Int64Value | null;
  readonly minimumVolumeSize: Int64Value | null;
}

export type ControllerGetCapabilitiesRequest = Readonly<Record<never, never>>;

export interface ControllerGetCapabilitiesResponse {
  readonly capabilities: readonly ControllerServiceCapability[];
}

export interface ControllerServiceCapability {
  readonly rpc?: ControllerServiceCapability_RPC | null;
}

export interface ControllerServiceCapability_RPC {
  readonly type: ControllerServiceCapability_RPC_Type;
}

export type ControllerServiceCapability_RPC_Type = "UNKNOWN" | "CREATE_DELETE_VOLUME" | "PUBLISH_UNPUBLISH_VOLUME" | "LIST_VOLUMES" | "GET_CAPACITY" | "CREATE_DELETE_SNAPSHOT" | "LIST_SNAPSHOTS" | "CLONE_VOLUME" | "PUBLISH_READONLY" | "EXPAND_VOLUME" | "LIST_VOLUMES_PUBLISHED_NODES" | "VOLUME_CONDITION" | "GET_VOLUME" | "SINGLE_NODE_MULTI_WRITER" | "MODIFY_VOLUME" | "GET_SNAPSHOT" | "GET_VOLUME_HEALTH" | "LIST_VOLUME_HEALTH";

export interface CreateSnapshotRequest {
  readonly sourceVolumeId: string;
  readonly name: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessibilityRequirements: TopologyRequirement | null;
}

export interface CreateSnapshotResponse {
  readonly snapshot: Snapshot | null;
}

export interface Snapshot {
  readonly sizeBytes: string;
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
  readonly creationTime: Timestamp | null;
  readonly readyToUse: boolean;
  readonly groupSnapshotId: string;
  readonly accessibleTopology: readonly Topology[];
}

export interface DeleteSnapshotRequest {
  readonly snapshotId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export type DeleteSnapshotResponse = Readonly<Record<never, never>>;

export interface ListSnapshotsRequest {
  readonly maxEntries: number;
  readonly startingToken: string;
  readonly sourceVolumeId: string;
  readonly snapshotId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface ListSnapshotsResponse {
  readonly entries: readonly ListSnapshotsResponse_Entry[];
  readonly nextToken: string;
}

export interface ListSnapshotsResponse_Entry {
  readonly snapshot: Snapshot | null;
}

export interface GetSnapshotRequest {
  readonly snapshotId: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface GetSnapshotResponse {
  readonly snapshot: Snapshot | null;
}

export interface ControllerExpandVolumeRequest {
  readonly volumeId: string;
  readonly capacityRange: CapacityRange | null;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeCapability: VolumeCapability | null;
}

export interface ControllerExpandVolumeResponse {
  readonly capacityBytes: string;
  readonly nodeExpansionRequired: boolean;
}

export interface ControllerGetVolumeRequest {
  readonly volumeId: string;
}

export interface ControllerGetVolumeResponse {
  readonly volume: Volume | null;
  readonly status: ControllerGetVolumeResponse_VolumeStatus | null;
}

export interface ControllerGetVolumeResponse_VolumeStatus {
  readonly publishedNodeIds: readonly string[];
  readonly volumeCondition: VolumeCondition | null;
}

export interface ControllerModifyVolumeRequest {
  readonly volumeId: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}

export type ControllerModifyVolumeResponse = Readonly<Record<never, never>>;

export type GroupControllerGetCapabilitiesRequest = Readonly<Record<never, never>>;

export interface GroupControllerGetCapabilitiesResponse {
  readonly capabilities: readonly GroupControllerServiceCapability[];
}

export interface GroupControllerServiceCapability {
  readonly rpc?: GroupControllerServiceCapability_RPC | null;
}

export interface GroupControllerServiceCapability_RPC {
  readonly type: GroupControllerServiceCapability_RPC_Type;
}

export type GroupControllerServiceCapability_RPC_Type = "UNKNOWN" | "CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT";

export interface CreateVolumeGroupSnapshotRequest {
  readonly name: string;
  readonly sourceVolumeIds: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface CreateVolumeGroupSnapshotResponse {
  readonly groupSnapshot: VolumeGroupSnapshot | null;
}

export interface VolumeGroupSnapshot {
  readonly groupSnapshotId: string;
  readonly snapshots: readonly Snapshot[];
  readonly creationTime: Timestamp | null;
  readonly readyToUse: boolean;
}

export interface DeleteVolumeGroupSnapshotRequest {
  readonly groupSnapshotId: string;
  readonly snapshotIds: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
}

export type DeleteVolumeGroupSnapshotResponse = Readonly<Record<never, never>>;

export interface GetVolumeGroupSnapshotRequest {
  readonly groupSnapshotId: string;
  readonly snapshotIds: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
}

export interface GetVolumeGroupSnapshotResponse {
  readonly groupSnapshot: VolumeGroupSnapshot | null;
}

export interface GetMetadataAllocatedRequest {
  readonly snapshotId: string;
  readonly startingOffset: string;
  readonly maxResults: number;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface GetMetadataAllocatedResponse {
  readonly blockMetadataType: BlockMetadataType;
  readonly volumeCapacityBytes: string;
  readonly blockMetadata: readonly BlockMetadata[];
}

export type BlockMetadataType = "UNKNOWN" | "FIXED_LENGTH" | "VARIABLE_LENGTH";

export interface BlockMetadata {
  readonly byteOffset: string;
  readonly sizeBytes: string;
}

export interface GetMetadataDeltaRequest {
  readonly baseSnapshotId: string;
  readonly targetSnapshotId: string;
  readonly startingOffset: string;
  readonly maxResults: number;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface GetMetadataDeltaResponse {
  readonly blockMetadataType: BlockMetadataType;
  readonly volumeCapacityBytes: string;
  readonly blockMetadata: readonly BlockMetadata[];
}

export interface NodeStageVolumeRequest {
  readonly volumeId: string;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly stagingTargetPath: string;
  readonly volumeCapability: VolumeCapability | null;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}

export type NodeStageVolumeResponse = Readonly<Record<never, never>>;

export interface NodeUnstageVolumeRequest {
  readonly volumeId: string;
  readonly stagingTargetPath: string;
}

export type NodeUnstageVolumeResponse = Readonly<Record<never, never>>;

export interface NodePublishVolumeRequest {
  readonly volumeId: string;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly stagingTargetPath: string;
  readonly targetPath: string;
  readonly volumeCapability: VolumeCapability | null;
  readonly readonly: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}

export type NodePublishVolumeResponse = Readonly<Record<never, never>>;

export interface NodeUnpublishVolumeRequest {
  readonly volumeId: string;
  readonly targetPath: string;
}

export type NodeUnpublishVolumeResponse = Readonly<Record<never, never>>;

export interface NodeGetVolumeStatsRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  readonly stagingTargetPath: string;
}

export interface NodeGetVolumeStatsResponse {
  readonly usage: readonly VolumeUsage[];
  readonly volumeCondition: VolumeCondition | null;
}

export interface VolumeUsage {
  readonly available: string;
  readonly total: string;
  readonly used: string;
  readonly unit: VolumeUsage_Unit;
}

export type VolumeUsage_Unit = "UNKNOWN" | "BYTES" | "INODES";

export interface NodeGetVolumeHealthRequest {
  readonly volumeId: string;
  readonly volumePublishPath: string;
  readonly stagingTargetPath: string;
}

export interface NodeGetVolumeHealthResponse {
  readonly volumeHealth: VolumeHealth | null;
}

export interface NodeGetStorageHealthRequest {
  readonly secrets: Readonly<Record<string, string>>;
}

export interface NodeGetStorageHealthResponse {
  readonly backendHealth: readonly NodeGetStorageHealthResponse_StorageBackendHealth[];
}

export interface NodeGetStorageHealthResponse_StorageBackendHealth {
  readonly status: StorageHealthErrorType;
  readonly reason: string;
  readonly message: string;
  readonly volumeCapability: VolumeCapability | null;
}

export type StorageHealthErrorType = "UNKNOWN_STORAGE_HEALTH_ERROR_TYPE" | "STORAGE_DEGRADED" | "STORAGE_UNREACHABLE";

export interface NodeExpandVolumeRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  readonly capacityRange: CapacityRange | null;
  readonly stagingTargetPath: string;
  readonly volumeCapability: VolumeCapability | null;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface NodeExpandVolumeResponse {
  readonly capacityBytes: string;
}

export type NodeGetCapabilitiesRequest = Readonly<Record<never, never>>;

export interface NodeGetCapabilitiesResponse {
  readonly capabilities: readonly NodeServiceCapability[];
}

export interface NodeServiceCapability {
  readonly rpc?: NodeServiceCapability_RPC | null;
}

export interface NodeServiceCapability_RPC {
  readonly type: NodeServiceCapability_RPC_Type;
}

export type NodeServiceCapability_RPC_Type = "UNKNOWN" | "STAGE_UNSTAGE_VOLUME" | "GET_VOLUME_STATS" | "EXPAND_VOLUME" | "VOLUME_CONDITION" | "SINGLE_NODE_MULTI_WRITER" | "VOLUME_MOUNT_GROUP" | "GET_VOLUME_HEALTH" | "GET_STORAGE_HEALTH";

export type NodeGetInfoRequest = Readonly<Record<never, never>>;

export interface NodeGetInfoResponse {
  readonly nodeId: string;
  readonly maxVolumesPerNode: string;
  readonly accessibleTopology: Topology | null;
}
