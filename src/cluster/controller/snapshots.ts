import { DmthinError } from "../../errors.ts";
import { snapshotId } from "../../volumes/ids.ts";
import { invalid } from "../../volumes/invalid.ts";
import type { Call, Snapshot } from "../../volumes/volumes.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import { membersOf, toSnapshot } from "./answers.ts";
import { created, type Creation } from "./creation.ts";
import { findServing, groupOfMember, requireVolume } from "./find.ts";
import type { ControllerParts } from "./parts.ts";
import { remove } from "./removal.ts";

export interface SnapshotWanted {
  readonly name: string;
  readonly sourceVolumeId: string;
}

/** Finds the snapshot of that name, or has it taken where its source is. */
export async function createSnapshot(parts: ControllerParts, { name, sourceVolumeId }: SnapshotWanted, call: Call): Promise<Snapshot> {
  const id = snapshotId(name);
  requireNoMember(parts, id);
  const creation: Creation<ThinSnapshot> = {
    store: parts.snapshots,
    kind: "snapshot",
    id,
    differenceOf: ({ spec: { sourceVolume } }) => (sourceVolume === sourceVolumeId ? undefined : `it is a snapshot of volume ${sourceVolume}`),
    spec: async () => {
      const { nodeName, poolName } = (await requireVolume(parts, sourceVolumeId, call)).spec;
      return { name, sourceVolume: sourceVolumeId, nodeName, poolName };
    },
  };
  return toSnapshot(await created(parts, creation, call));
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
