import type { SnapshotRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { toSnapshot } from "./answers.ts";
import { requireSpace } from "./capacity.ts";
import { snapshotId } from "./ids.ts";
import { invalid } from "./invalid.ts";
import { pageOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import type { Found } from "./pool-set.ts";
import type { Call, Page, PageRequest, Snapshot } from "./volumes.ts";

export async function createSnapshot(parts: Parts, wanted: { readonly name: string; readonly sourceVolumeId: string }, call: Call): Promise<Snapshot> {
  const { name, sourceVolumeId } = wanted;
  const id = snapshotId(name);
  return parts.operations.run(call, "creation", { exclusive: [id], shared: [sourceVolumeId] }, async () => {
    const existing = parts.pools.findSnapshot(id);
    if (existing !== undefined) return toSnapshot(parts.node, requireSame(existing, sourceVolumeId));
    const { pool } = parts.pools.volume(sourceVolumeId);
    requireSpace(pool);
    const [record] = await pool.calls.createSnapshots([{ id, name, sourceVolumeId }], undefined);
    if (record === undefined) throw new Error(`the pool answered no snapshot for ${id}`);
    return toSnapshot(parts.node, { pool, record });
  });
}

function requireSame(existing: Found<SnapshotRecord>, sourceVolumeId: string): Found<SnapshotRecord> {
  const { id, state, groupId, sourceVolumeId: source } = existing.record;
  if (state === "deleting") throw new DmthinError({ code: "being-deleted", kind: "snapshot", id });
  if (source !== sourceVolumeId) throw new DmthinError({ code: "already-exists", kind: "snapshot", id, difference: `it is a snapshot of volume ${source}` });
  if (groupId !== undefined) throw new DmthinError({ code: "already-exists", kind: "snapshot", id, difference: `it belongs to group snapshot ${groupId}` });
  return existing;
}

/** Unknown ids are success. A group's snapshots go with their group. */
export async function deleteSnapshot(parts: Parts, id: string, call: Call): Promise<void> {
  return parts.operations.run(call, "deletion", { exclusive: [id] }, async () => {
    const found = parts.pools.findSnapshot(id);
    if (found === undefined) return parts.pools.requireSettled(id);
    if (found.record.state !== "ready") return;
    const { groupId } = found.record;
    if (groupId !== undefined) throw invalid(`snapshot ${id} belongs to group snapshot ${groupId}, and is deleted with that`);
    await found.pool.calls.remove(id);
  });
}

/** Only what is there: filters that match nothing give an empty list. */
export function listSnapshots(
  parts: Parts,
  filter: { readonly snapshotId: string | undefined; readonly sourceVolumeId: string | undefined },
  page: PageRequest,
): Page<Snapshot> {
  parts.pools.requireComplete();
  const snapshots = parts.pools.all.flatMap((pool) =>
    [...pool.view.thins.values()]
      .filter((record) => record.kind === "snapshot")
      .filter(({ state }) => state === "ready")
      .filter(({ id }) => filter.snapshotId === undefined || filter.snapshotId === id)
      .filter(({ sourceVolumeId }) => filter.sourceVolumeId === undefined || filter.sourceVolumeId === sourceVolumeId)
      .map((record) => toSnapshot(parts.node, { pool, record })),
  );
  return pageOf("snapshots", snapshots, ({ record }) => record, page);
}
