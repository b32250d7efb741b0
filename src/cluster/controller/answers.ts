import type { SnapshotRecord, VolumeRecord } from "../../catalog/records.ts";
import { bytes } from "../../units.ts";
import { memberName } from "../../volumes/ids.ts";
import type { Condition, Group, Snapshot, Volume } from "../../volumes/volumes.ts";
import { nodeThinPoolName } from "../objects/node-thin-pool.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import { originOf, type ThinVolume } from "../objects/thin-volume.ts";
import { poolObstacle } from "./candidates.ts";
import type { ControllerParts } from "./parts.ts";

/** What only the node's own catalogue knows is as of a volume that nobody has used. */
const UNKNOWN = { transactionId: 0, state: "ready", filesystem: { type: undefined, state: "none" } } as const;

/** Of one that is Ready: its status has all of it. */
export function volumeRecord({ metadata, spec, status }: ThinVolume): VolumeRecord {
  const { discardOnDelete = false, xfsNospaceMaxRetries = "auto" } = status.parameters;
  return {
    ...UNKNOWN,
    kind: "volume",
    id: metadata.name,
    name: spec.name,
    number: status.deviceNumber ?? 0,
    sizeBytes: bytes(status.sizeBytes ?? 0),
    createdAt: new Date(status.createdAt ?? metadata.creationTimestamp),
    filesystem: { type: status.filesystem, state: "none" },
    origin: originOf(spec),
    capabilities: spec.capabilities.map(({ access, filesystem, mountFlags, mode }) => ({ access, filesystem, mountFlags, mode })),
    mkfsOptions: spec.mkfsOptions,
    parameters: { discardOnDelete, xfsNospaceMaxRetries },
    renewIdentity: false,
    growFilesystem: false,
    staging: undefined,
    publications: [],
  };
}

export const toVolume = (parts: ControllerParts, volume: ThinVolume): Volume => ({
  record: volumeRecord(volume),
  pool: volume.spec.poolName,
  node: volume.spec.nodeName,
  condition: conditionOf(parts, volume),
});

/** A volume is as well as its pool, and as the driver on its node; what the node says of it alone goes first. */
function conditionOf({ agents, nodePools }: ControllerParts, { spec: { nodeName, poolName }, status }: ThinVolume): Condition {
  const lost = status.conditions.find(({ type, status: is }) => type === "Lost" && is !== "False");
  if (lost !== undefined) return { abnormal: true, message: lost.message };
  const trouble = agents.trouble(nodeName);
  if (trouble !== undefined) return { abnormal: true, message: `node ${nodeName} does not answer: ${trouble}` };
  const obstacle = poolObstacle(nodePools.cache.items.get(nodeThinPoolName(poolName, nodeName)));
  if (obstacle !== undefined) return { abnormal: true, message: `pool ${poolName} on node ${nodeName}: ${obstacle}` };
  return { abnormal: false, message: `the volume is healthy, and pool ${poolName} on node ${nodeName} serves` };
}

export function toSnapshot({ metadata, spec, status }: ThinSnapshot): Snapshot {
  const record: SnapshotRecord = {
    ...UNKNOWN,
    kind: "snapshot",
    id: metadata.name,
    name: spec.name,
    number: status.deviceNumber ?? 0,
    sizeBytes: bytes(status.sizeBytes ?? 0),
    createdAt: new Date(status.createdAt ?? metadata.creationTimestamp),
    sourceVolumeId: spec.sourceVolume,
    groupId: undefined,
  };
  return { record, pool: spec.poolName, node: spec.nodeName };
}

export function toGroup(group: ThinSnapshotGroup): Group {
  const { metadata, spec, status } = group;
  return {
    record: {
      id: metadata.name,
      name: spec.name,
      createdAt: new Date(status.createdAt ?? metadata.creationTimestamp),
      snapshotIds: status.snapshots.map(({ id }) => id),
      sourceVolumeIds: spec.sourceVolumes,
    },
    snapshots: membersOf(group),
  };
}

/** A group's snapshots have no object of their own. */
export const membersOf = ({ metadata, spec, status }: ThinSnapshotGroup): readonly Snapshot[] =>
  status.snapshots.map(({ id, sourceVolume, sizeBytes, deviceNumber }) => ({
    record: {
      ...UNKNOWN,
      kind: "snapshot",
      id,
      name: memberName(spec.name, sourceVolume),
      number: deviceNumber,
      sizeBytes: bytes(sizeBytes),
      createdAt: new Date(status.createdAt ?? metadata.creationTimestamp),
      sourceVolumeId: sourceVolume,
      groupId: metadata.name,
    },
    pool: spec.poolName,
    node: spec.nodeName,
  }));
