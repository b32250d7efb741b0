import type { NodeConfig } from "./config/node.ts";
import type { ApiServer, Selection } from "./cluster/api/objects-api.ts";
import { WatchCache } from "./cluster/api/watch-cache.ts";
import { NodeReconciler, type NodeReconcilerOptions } from "./cluster/node/node-reconciler.ts";
import { recordedUuids, type NodeRecords } from "./cluster/node/recorded-pools.ts";
import { unclaimedIn } from "./cluster/node/unclaimed.ts";
import { NODE } from "./cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "./cluster/objects/kinds.ts";
import type { ApiObject } from "./cluster/objects/meta.ts";
import type { ThinVolume } from "./cluster/objects/thin-volume.ts";
import type { NodePools, PoolWishes } from "./cluster/pools/node-pools.ts";
import { PoolEvents, type Recorder } from "./cluster/pools/pool-events.ts";
import { PoolObjects } from "./cluster/pools/pool-objects.ts";
import { PoolReporter } from "./cluster/pools/pool-reporter.ts";
import type { Logger } from "./logger.ts";
import type { Machine } from "./machine.ts";
import type { Pool } from "./pool/pool.ts";

export interface NodeClusterParts {
  readonly config: Pick<NodeConfig, "nodeName">;
  readonly api: ApiServer;
  readonly recorder: Recorder;
  readonly machine: Machine;
  readonly pools: NodePools;
  readonly version: string;
  readonly logger: Logger;
}

/** What a node is to its cluster: it follows the objects that are about it, carries them out, and tells. */
export class NodeCluster {
  readonly #parts: NodeClusterParts;
  readonly #caches: WatchCache<ApiObject>[] = [];
  readonly #reporter: PoolReporter;
  readonly #records: NodeRecords;
  #reconciler: NodeReconciler | undefined;
  #ended = false;

  constructor(parts: NodeClusterParts) {
    this.#parts = parts;
    const { config, pools, recorder, version, logger } = parts;
    const ofNode = { fieldSelector: `spec.nodeName=${config.nodeName}` };
    const [volumes, snapshots, groups] = [this.#store(THIN_VOLUME, ofNode), this.#store(THIN_SNAPSHOT, ofNode), this.#store(THIN_SNAPSHOT_GROUP, ofNode)];
    const placed = [volumes.cache, snapshots.cache, groups.cache];
    const unclaimed = (pool: Pool): readonly string[] | undefined =>
      placed.every(({ isSynced }) => isSynced)
        ? unclaimedIn(pool, { volumes: volumes.cache.items, snapshots: snapshots.cache.items, groups: groups.cache.items })
        : undefined;
    const nodePools = this.#store(NODE_THIN_POOL, ofNode);
    this.#records = { nodePools: nodePools.cache.items, volumes: volumes.cache.items, snapshots: snapshots.cache.items, groups: groups.cache.items };
    const objects = new PoolObjects({ node: config.nodeName, logger, ...nodePools });
    this.#reporter = new PoolReporter({ pools, objects, events: new PoolEvents(recorder), unclaimed, driverVersion: version, logger });
    const nodes = this.#store(NODE, { fieldSelector: `metadata.name=${config.nodeName}` });
    void this.#followPools({ thinPools: this.#store(THIN_POOL).cache, nodes: nodes.cache }, [...placed, nodePools.cache]);
    void this.#carryOut({ volumes, snapshots, groups });
  }

  /** Whether all that is about this node is known, and followed. */
  get isSynced(): boolean {
    return this.#reconciler !== undefined && this.#caches.every(({ isSynced }) => isSynced);
  }

  /** What is being carried out has ended, or was given up: the next start finds it. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#reconciler?.close();
    await this.#parts.pools.close();
    await this.#reporter.close();
    await Promise.all(this.#caches.map(async (cache) => cache.close()));
  }

  /** By which uuids the cluster knows a pool of this name here: see take-back.ts of the pools. */
  recordedUuids(pool: string): readonly string[] {
    return recordedUuids(pool, this.#parts.config.nodeName, this.#records);
  }

  /** The cluster's object of that name, of this node. */
  volume(id: string): ThinVolume | undefined {
    return this.#records.volumes.get(id);
  }

  /** How many volumes, snapshots and groups of this node are in the pool of that name. */
  placedIn(pool: string): number {
    const { volumes, snapshots, groups } = this.#records;
    return [...volumes.values(), ...snapshots.values(), ...groups.values()].filter(({ spec }) => spec.poolName === pool).length;
  }

  /** Not before it is known which pools are on record: their disks are taken back, and no others. */
  async #followPools(wishes: PoolWishes, records: readonly { readonly synced: Promise<void> }[]): Promise<void> {
    await Promise.all(records.map(async ({ synced }) => synced.catch(() => undefined)));
    if (!this.#ended) this.#parts.pools.begin(wishes);
  }

  /** Not before it is known what there is: what a cache does not have yet is not absent. */
  async #carryOut(stores: Pick<NodeReconcilerOptions, "volumes" | "snapshots" | "groups">): Promise<void> {
    const { config, machine, recorder, logger } = this.#parts;
    await Promise.all(Object.values(stores).map(async ({ cache }) => cache.synced.catch(() => undefined)));
    if (this.#ended) return;
    this.#reconciler = new NodeReconciler({ node: config.nodeName, pools: machine.pools, local: machine.volumes, ...stores, recorder, logger });
  }

  #store<Item extends ApiObject>(kind: Kind<Item>, selection: Selection = {}) {
    const { api, logger } = this.#parts;
    const objects = api.objects(kind);
    const cache = new WatchCache(objects, { logger: logger.child({ watch: kind.kind }), selection });
    this.#caches.push(cache as unknown as WatchCache<ApiObject>);
    return { api: objects, cache };
  }
}
