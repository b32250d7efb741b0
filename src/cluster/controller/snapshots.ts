import { DmthinError } from "../../errors.ts";
import { snapshotId } from "../../volumes/ids.ts";
import { invalid } from "../../volumes/invalid.ts";
import { requireTime } from "../../volumes/operations.ts";
import type { Call, Snapshot } from "../../volumes/volumes.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinSnapshot, ThinSnapshotSpec } from "../objects/thin-snapshot.ts";
import { membersOf, toSnapshot } from "./answers.ts";
import { findLive, findServing, groupOfMember, requireVolume } from "./find.ts";
import { fulfilled, put } from "./fulfilment.ts";
import type { ControllerParts } from "./parts.ts";
import { makeWay, remove } from "./removal.ts";

export interface SnapshotWanted {
  readonly name: string;
  readonly sourceVolumeId: string;
}

/** Finds the snapshot of that name, or has it taken where its source is. */
export async function createSnapshot(parts: ControllerParts, wanted: SnapshotWanted, call: Call): Promise<Snapshot> {
  const id = snapshotId(wanted.name);
  using _ = parts.locks.take("creation", { exclusive: [id] });
  requireNoMember(parts, id);
  let existing = parts.snapshots.cache.items.has(id) ? await findLive(parts.snapshots, id, call) : undefined;
  for (;;) {
    requireTime(call, `creation of snapshot ${id}`);
    const standing: ThinSnapshot | undefined = existing === undefined ? undefined : await standingOf(parts, wanted, existing, call);
    const snapshot = standing ?? (await ask(parts, id, wanted, call));
    if (snapshot !== undefined) return toSnapshot(await fulfilled(parts, parts.snapshots, "snapshot", snapshot, call));
    existing = await findLive(parts.snapshots, id, call);
  }
}

async function standingOf(parts: ControllerParts, { sourceVolumeId }: SnapshotWanted, existing: ThinSnapshot, call: Call): Promise<ThinSnapshot | undefined> {
  const { name: id } = existing.metadata;
  const { sourceVolume } = existing.spec;
  if (existing.status.phase === "Failed") {
    await makeWay(parts, parts.snapshots, "snapshot", existing, call);
    return undefined;
  }
  if (isTerminating(existing)) throw new DmthinError({ code: "being-deleted", kind: "snapshot", id });
  if (sourceVolume === sourceVolumeId) return existing;
  throw new DmthinError({ code: "already-exists", kind: "snapshot", id, difference: `it is a snapshot of volume ${sourceVolume}` });
}

/** Puts the object there, once it is known where; undefined: the name was taken meanwhile. */
async function ask(parts: ControllerParts, id: string, { name, sourceVolumeId }: SnapshotWanted, call: Call): Promise<ThinSnapshot | undefined> {
  const { nodeName, poolName } = (await requireVolume(parts, sourceVolumeId, call)).spec;
  const spec: ThinSnapshotSpec = { name, sourceVolume: sourceVolumeId, nodeName, poolName };
  return put(parts, parts.snapshots, id, spec, call);
}

function requireNoMember(parts: ControllerParts, id: string): void {
  const group = groupOfMember(parts, id);
  if (group === undefined) return;
  const difference = `it belongs to group snapshot ${group.metadata.name}`;
  throw new DmthinError({ code: "already-exists", kind: "snapshot", id, difference });
}

/** Unknown ids are success. A group's snapshots go with their group. */
export async function deleteSnapshot(parts: ControllerParts, id: string, call: Call): Promise<void> {
  const group = groupOfMember(parts, id);
  if (group !== undefined && !isTerminating(group)) throw invalid(`snapshot ${id} belongs to group snapshot ${group.metadata.name}, and is deleted with that`);
  await remove(parts, parts.snapshots, "snapshot", id, call);
}

/** Throws "not-found". */
export async function getSnapshot(parts: ControllerParts, id: string, call: Call): Promise<Snapshot> {
  const group = groupOfMember(parts, id);
  const member = group === undefined || isTerminating(group) ? undefined : membersOf(group).find(({ record }) => record.id === id);
  if (member !== undefined) return member;
  const snapshot = await findServing(parts.snapshots, id, call);
  if (snapshot === undefined) throw new DmthinError({ code: "not-found", kind: "snapshot", id });
  return toSnapshot(snapshot);
}
