import type { GroupRecord, SnapshotRecord, VolumeRecord } from "../catalog/records.ts";
import type { Pool } from "../pool/pool.ts";
import { volumeCondition } from "./condition.ts";
import type { Found } from "./pool-set.ts";
import type { Group, Snapshot, Volume } from "./volumes.ts";

export const toVolume = (node: string, { pool, record }: Found<VolumeRecord>): Volume => ({
  record,
  pool: pool.description.name,
  node,
  condition: volumeCondition(pool, record.id),
});

export const toSnapshot = (node: string, { pool, record }: Found<SnapshotRecord>): Snapshot => ({ record, pool: pool.description.name, node });

/** With those of its snapshots that the pool knows. */
export function toGroup(node: string, pool: Pool, record: GroupRecord): Group {
  const members = record.snapshotIds.flatMap((id) => pool.view.thins.get(id) ?? []).filter((member) => member.kind === "snapshot");
  return { record, snapshots: members.map((member) => toSnapshot(node, { pool, record: member })) };
}
