import { nodeThinPoolName, type NodeThinPool } from "../objects/node-thin-pool.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import type { NodeObjects } from "./unclaimed.ts";

export interface NodeRecords extends NodeObjects {
  readonly nodePools: ReadonlyMap<string, NodeThinPool>;
}

/**
 * The uuids by which the cluster knows pools of that name on this node: of the pool that is on record, and of those that
 * volumes and snapshots are in. A node that was made anew takes such a pool back with its disks, and no other. The caches have to be synced.
 */
export function recordedUuids(poolName: string, nodeName: string, { nodePools, volumes, snapshots, groups }: NodeRecords): readonly string[] {
  const placed: readonly PlacedObject[] = [...volumes.values(), ...snapshots.values(), ...groups.values()];
  const ofObjects = placed.filter(({ spec }) => spec.poolName === poolName && spec.nodeName === nodeName).map(({ status }) => status.poolUUID);
  const ofPool = nodePools.get(nodeThinPoolName(poolName, nodeName))?.status.poolUUID;
  return [...new Set([ofPool, ...ofObjects])].filter((uuid) => uuid !== undefined);
}
