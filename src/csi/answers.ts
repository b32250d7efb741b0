import type { Origin } from "../catalog/records.ts";
import type { Group, Snapshot, Volume } from "../volumes/volumes.ts";
import type {
  Snapshot as CsiSnapshot,
  Volume as CsiVolume,
  VolumeGroupSnapshot as CsiGroup,
  Timestamp,
  VolumeContentSource,
  VolumeHealth,
} from "./generated/csi.ts";
import type { Condition } from "../volumes/volumes.ts";
import { topologyOf } from "./topology.ts";

export const toCsiVolume = ({ record, pool, node }: Volume): CsiVolume => ({
  capacityBytes: String(record.sizeBytes),
  volumeId: record.id,
  volumeContext: { pool },
  contentSource: toContentSource(record.origin),
  accessibleTopology: [topologyOf(node)],
});

function toContentSource(origin: Origin): VolumeContentSource | null {
  if (origin.kind === "blank") return null;
  return origin.kind === "snapshot" ? { snapshot: { snapshotId: origin.id } } : { volume: { volumeId: origin.id } };
}

/** No accessible_topology: that belongs to a capability (alpha in 1.13) that is not offered. */
export const toCsiSnapshot = ({ record }: Snapshot): CsiSnapshot => ({
  sizeBytes: String(record.sizeBytes),
  snapshotId: record.id,
  sourceVolumeId: record.sourceVolumeId,
  creationTime: toTimestamp(record.createdAt),
  readyToUse: true,
  groupSnapshotId: record.groupId ?? "",
  accessibleTopology: [],
});

export const toCsiGroup = ({ record, snapshots }: Group): CsiGroup => ({
  groupSnapshotId: record.id,
  snapshots: snapshots.map(toCsiSnapshot),
  creationTime: toTimestamp(record.createdAt),
  readyToUse: true,
});

/** A condition as CSI 1.13 has it: well is an empty list. */
export const toVolumeHealth = (volumeId: string, { abnormal, message }: Condition): VolumeHealth => ({
  volumeId,
  healthStatuses: abnormal ? [{ status: "DEGRADED", reason: "PoolAbnormal", message }] : [],
});

function toTimestamp(date: Date): Timestamp {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: String(seconds), nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}
