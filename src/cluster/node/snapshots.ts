import type { SnapshotRecord } from "../../catalog/records.ts";
import { DmthinError } from "../../errors.ts";
import type { PoolView } from "../../pool/pool.ts";
import { formatQuantity } from "../../units.ts";
import { isVolumeId, snapshotId } from "../../volumes/ids.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import type { Carrier } from "./carrier.ts";
import { damageOf } from "./damage.ts";
import { nameProblems } from "./names.ts";

export const carrySnapshots: Carrier<ThinSnapshot> = {
  kind: "ThinSnapshot",
  tellsPoolHealth: false,
  problems: (item) => [
    ...nameProblems(item, snapshotId),
    ...(isVolumeId(item.spec.sourceVolume) ? [] : [`spec.sourceVolume ${JSON.stringify(item.spec.sourceVolume)} is no volume's`]),
  ],
  held: (view, { metadata }) => recordOf(view, metadata.name)?.state ?? "nothing",
  taken: (view, { metadata: { name: id }, spec }) => {
    const record = recordOf(view, id);
    const isIts = record?.state !== "ready" || (record.sourceVolumeId === spec.sourceVolume && record.groupId === undefined);
    if (isIts) return undefined;
    const difference = record.groupId === undefined ? `it is a snapshot of volume ${record.sourceVolumeId}` : `it belongs to group snapshot ${record.groupId}`;
    return new DmthinError({ code: "already-exists", kind: "snapshot", id, difference });
  },
  make: async (volumes, { spec }, _, call) => void (await volumes.createSnapshot({ name: spec.name, sourceVolumeId: spec.sourceVolume }, call)),
  change: async () => undefined, // nothing in it may change
  remove: async (volumes, { metadata }, _, call) => volumes.deleteSnapshot(metadata.name, call),
  facts: (view, { metadata }) => {
    const record = recordOf(view, metadata.name);
    if (record?.state !== "ready") return undefined;
    return { sizeBytes: record.sizeBytes, size: formatQuantity(record.sizeBytes), deviceNumber: record.number, createdAt: record.createdAt.toISOString() };
  },
  damage: (view, { metadata }) => damageOf(view, [metadata.name]),
};

function recordOf(view: PoolView, id: string): SnapshotRecord | undefined {
  const record = view.thins.get(id);
  return record?.kind === "snapshot" ? record : undefined;
}
