import type { Pool } from "../../pool/pool.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import type { PlacedObject } from "../objects/placed-object.ts";

/** This node's objects, by name. */
export interface NodeObjects {
  readonly volumes: ReadonlyMap<string, ThinVolume>;
  readonly snapshots: ReadonlyMap<string, ThinSnapshot>;
  readonly groups: ReadonlyMap<string, ThinSnapshotGroup>;
}

/**
 * The ids of volumes and snapshots in the pool that the cluster has no object of, in order: left by objects whose deletion
 * was forced, or by another cluster. They are shown, and nothing is ever done to them. The caches have to be synced.
 */
export function unclaimedIn(pool: Pool, { volumes, snapshots, groups }: NodeObjects): readonly string[] {
  const { view, description } = pool;
  const claims = (object: PlacedObject | undefined): boolean =>
    object?.spec.poolName === description.name && (object.status.poolUUID === undefined || object.status.poolUUID === view.poolUuid);
  return [...view.thins.values()]
    .filter(({ state }) => state === "ready")
    .filter((record) => {
      if (record.kind === "volume") return !claims(volumes.get(record.id));
      return !claims(record.groupId === undefined ? snapshots.get(record.id) : groups.get(record.groupId));
    })
    .map(({ id }) => id)
    .toSorted();
}
