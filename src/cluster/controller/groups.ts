import { DmthinError } from "../../errors.ts";
import { groupId, memberName, snapshotId } from "../../volumes/ids.ts";
import type { Call, Group, GroupWanted } from "../../volumes/volumes.ts";
import { checkGroup, groupDifference, requireMembers } from "../../volumes/wanted.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import { toGroup } from "./answers.ts";
import type { Place } from "./candidates.ts";
import { created, type Creation } from "./creation.ts";
import { find, findServing, requireVolume } from "./find.ts";
import type { ControllerParts } from "./parts.ts";
import { remove } from "./removal.ts";

/** Snapshots of several volumes of one pool on one node, of one moment. */
export async function createGroup(parts: ControllerParts, wanted: GroupWanted, call: Call): Promise<Group> {
  const { name, sourceVolumeIds } = wanted;
  checkGroup(wanted);
  const creation: Creation<ThinSnapshotGroup> = {
    store: parts.groups,
    kind: "group snapshot",
    id: groupId(name),
    differenceOf: ({ spec: { sourceVolumes } }) => groupDifference(sourceVolumeIds, sourceVolumes),
    spec: async () => {
      const { nodeName, poolName } = await onePlace(parts, sourceVolumeIds, call);
      for (const source of sourceVolumeIds) requireFree(parts, snapshotId(memberName(name, source)));
      return { name, sourceVolumes: [...sourceVolumeIds], nodeName, poolName };
    },
  };
  return toGroup(await created(parts, creation, call));
}

/** Throws "sources-apart" when no one moment of them can be had, and "not-found". */
async function onePlace(parts: ControllerParts, sourceVolumeIds: readonly string[], call: Call): Promise<Place> {
  const volumes = await Promise.all(sourceVolumeIds.map(async (id) => requireVolume(parts, id, call)));
  const places = new Map(volumes.map(({ spec }) => [`${spec.poolName} on node ${spec.nodeName}`, spec]));
  const [place] = places.values();
  if (place !== undefined && places.size === 1) return place;
  throw new DmthinError({ code: "sources-apart", reason: `they are in pools ${[...places.keys()].join(" and ")}, and one moment can be had in one pool only` });
}

/** The watch is asked: only who names a snapshot as a group would can be in the way, and the node finds that too. */
function requireFree({ snapshots }: ControllerParts, memberId: string): void {
  if (!snapshots.cache.items.has(memberId)) return;
  throw new DmthinError({ code: "already-exists", kind: "snapshot", id: memberId, difference: "it does not belong to this group snapshot" });
}

/** Unknown ids are success. Throws "invalid-argument" when the ids are not the group's. */
export async function deleteGroup(parts: ControllerParts, id: string, snapshotIds: readonly string[], call: Call): Promise<void> {
  const group = await find(parts.groups, id, call);
  if (group === undefined) return;
  if (group.status.phase === "Ready") requireMembers(id, memberIds(group), snapshotIds);
  await remove(parts, parts.groups, "group snapshot", id, call);
}

/** Throws "not-found". */
export async function getGroup(parts: ControllerParts, id: string, snapshotIds: readonly string[], call: Call): Promise<Group> {
  const group = await findServing(parts.groups, id, call);
  if (group === undefined) throw new DmthinError({ code: "not-found", kind: "group snapshot", id });
  requireMembers(id, memberIds(group), snapshotIds);
  return toGroup(group);
}

const memberIds = ({ status: { snapshots } }: ThinSnapshotGroup): readonly string[] => snapshots.map(({ id }) => id);
