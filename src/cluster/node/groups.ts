import { DmthinError } from "../../errors.ts";
import type { PoolView } from "../../pool/pool.ts";
import { groupId, isVolumeId } from "../../volumes/ids.ts";
import { groupDifference } from "../../volumes/wanted.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { Carrier } from "./carrier.ts";
import { damageOf } from "./damage.ts";
import { nameProblems } from "./names.ts";

/** A group's snapshots have no object of their own: they come and go with it. */
export const carryGroups: Carrier<ThinSnapshotGroup> = {
  kind: "ThinSnapshotGroup",
  tellsPoolHealth: false,
  problems: (item) => [
    ...nameProblems(item, groupId),
    ...item.spec.sourceVolumes.filter((id) => !isVolumeId(id)).map((id) => `spec.sourceVolumes has ${JSON.stringify(id)}, which is no volume's`),
  ],
  held: (view, { metadata }) => (view.groups.has(metadata.name) ? "ready" : "nothing"),
  taken: (view, { metadata: { name: id }, spec }) => {
    const { sourceVolumeIds = spec.sourceVolumes } = view.groups.get(id) ?? {};
    const difference = groupDifference(spec.sourceVolumes, sourceVolumeIds);
    return difference === undefined ? undefined : new DmthinError({ code: "already-exists", kind: "group snapshot", id, difference });
  },
  make: async (volumes, { spec }, _, call) => void (await volumes.createGroup({ name: spec.name, sourceVolumeIds: spec.sourceVolumes }, call)),
  change: async () => undefined, // nothing in it may change
  remove: async (volumes, { metadata }, view, call) => volumes.deleteGroup(metadata.name, view.groups.get(metadata.name)?.snapshotIds ?? [], call),
  facts: (view, { metadata, spec }) => {
    const group = view.groups.get(metadata.name);
    if (group === undefined) return undefined;
    return { createdAt: group.createdAt.toISOString(), snapshots: membersOf(view, group.snapshotIds, spec.sourceVolumes) };
  },
  damage: (view, { metadata }) => damageOf(view, view.groups.get(metadata.name)?.snapshotIds ?? []),
};

/** In the order in which the object names their sources. */
function membersOf(view: PoolView, ids: readonly string[], sources: readonly string[]) {
  const members = ids.flatMap((id) => {
    const record = view.thins.get(id);
    return record?.kind === "snapshot" ? [{ id, sourceVolume: record.sourceVolumeId, sizeBytes: record.sizeBytes, deviceNumber: record.number }] : [];
  });
  return members.toSorted((left, right) => sources.indexOf(left.sourceVolume) - sources.indexOf(right.sourceVolume));
}
