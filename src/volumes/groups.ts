import type { GroupRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { NewSnapshot } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { toGroup } from "./answers.ts";
import { requireSpace } from "./capacity.ts";
import { groupId, memberName, snapshotId } from "./ids.ts";
import type { Parts } from "./parts.ts";
import type { Call, Group, GroupWanted } from "./volumes.ts";
import { checkGroup, groupDifference, requireMembers } from "./wanted.ts";

/** Snapshots of several volumes of one pool, of one moment. */
export async function createGroup(parts: Parts, wanted: GroupWanted, call: Call): Promise<Group> {
  const { name, sourceVolumeIds } = wanted;
  checkGroup(wanted);
  const id = groupId(name);
  const members = sourceVolumeIds.map((sourceVolumeId) => memberOf(name, sourceVolumeId));
  return parts.operations.run(call, "creation", { exclusive: [id, ...members.map((member) => member.id)], shared: sourceVolumeIds }, async () => {
    const existing = findGroup(parts, id);
    if (existing !== undefined) return toGroup(parts.node, existing.pool, requireSame(existing.record, sourceVolumeIds));
    for (const member of members) requireFree(parts, member.id, id);
    const pool = onePool(parts, sourceVolumeIds);
    requireSpace(pool);
    await pool.calls.createSnapshots(members, { id, name });
    const record = pool.view.groups.get(id);
    if (record === undefined) throw new Error(`the pool told nothing of group snapshot ${id}`);
    return toGroup(parts.node, pool, record);
  });
}

/** Unknown ids are success. Throws "invalid-argument" when the ids are not the group's. */
export async function deleteGroup(parts: Parts, id: string, snapshotIds: readonly string[], call: Call): Promise<void> {
  const known = findGroup(parts, id)?.record.snapshotIds ?? [];
  return parts.operations.run(call, "deletion", { exclusive: [id, ...known] }, async () => {
    const found = findGroup(parts, id);
    if (found === undefined) return parts.pools.requireSettled(id);
    requireMembers(id, found.record.snapshotIds, snapshotIds);
    await found.pool.calls.removeGroup(id);
  });
}

export function getGroup(parts: Parts, id: string, snapshotIds: readonly string[]): Group {
  const found = findGroup(parts, id);
  if (found === undefined) throw new DmthinError({ code: "not-found", kind: "group snapshot", id });
  requireMembers(id, found.record.snapshotIds, snapshotIds);
  return toGroup(parts.node, found.pool, found.record);
}

function memberOf(groupName: string, sourceVolumeId: string): NewSnapshot {
  const name = memberName(groupName, sourceVolumeId);
  return { id: snapshotId(name), name, sourceVolumeId };
}

function findGroup(parts: Parts, id: string): { readonly pool: Pool; readonly record: GroupRecord } | undefined {
  const pool = parts.pools.findGroup(id);
  const record = pool?.view.groups.get(id);
  return pool === undefined || record === undefined ? undefined : { pool, record };
}

function requireSame(record: GroupRecord, sourceVolumeIds: readonly string[]): GroupRecord {
  const difference = groupDifference(sourceVolumeIds, record.sourceVolumeIds);
  if (difference === undefined) return record;
  throw new DmthinError({ code: "already-exists", kind: "group snapshot", id: record.id, difference });
}

/** A snapshot of a group that is no more is still being deleted; any other bears a name that only a group would give. */
function requireFree(parts: Parts, memberId: string, id: string): void {
  const existing = parts.pools.findSnapshot(memberId);
  if (existing === undefined) return;
  if (existing.record.state === "deleting") throw new DmthinError({ code: "being-deleted", kind: "group snapshot", id });
  throw new DmthinError({ code: "already-exists", kind: "snapshot", id: memberId, difference: "it does not belong to this group snapshot" });
}

function onePool(parts: Parts, sourceVolumeIds: readonly string[]): Pool {
  const pools = new Set(sourceVolumeIds.map((id) => parts.pools.volume(id).pool));
  const [pool] = pools;
  if (pool === undefined || pools.size > 1) {
    const names = [...pools].map(({ description }) => description.name).join(" and ");
    throw new DmthinError({ code: "sources-apart", reason: `they are in pools ${names}, and one moment can be had in one pool only` });
  }
  return pool;
}
