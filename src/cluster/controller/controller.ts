import type { Logger } from "../../logger.ts";
import { Locks } from "../../volumes/locks.ts";
import type { Call, Condition, Volumes } from "../../volumes/volumes.ts";
import type { Cache } from "../api/cache.ts";
import { getClaim } from "../api/core-objects.ts";
import type { ApiServer, Selection } from "../api/objects-api.ts";
import type { Store } from "../api/store.ts";
import { WatchCache } from "../api/watch-cache.ts";
import { AGENT_POD, NODE, PERSISTENT_VOLUME, type PersistentVolume } from "../objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "../objects/kinds.ts";
import type { ApiObject } from "../objects/meta.ts";
import { Agents } from "./agents.ts";
import { ClusterVolumes } from "./cluster-volumes.ts";
import type { ControllerParts } from "./parts.ts";
import { poolStatus } from "./pool-status.ts";
import { startupTaints } from "./startup-taints.ts";
import { runTasks, type TaskOptions } from "./tasks.ts";
import { tombstones } from "./tombstones.ts";
import { isUnclaimed, unclaimed } from "./unclaimed.ts";

export interface ControllerOptions {
  readonly api: ApiServer;
  /** Of the driver's pods. */
  readonly namespace: string;
  /** Finds the pods of `dmthin node` there. */
  readonly agentSelector: string;
  readonly nodeMissingForMs: number;
  /** The taint's key; undefined: none is taken away. */
  readonly startupTaint: string | undefined;
  /** As PersistentVolumes name it. */
  readonly driverName: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What `dmthin controller` is, towards the cluster: a few watches, the volumes that calls ask for, and what is looked after beside. */
export class Controller {
  readonly volumes: Volumes;
  readonly #parts: ControllerParts;
  readonly #options: ControllerOptions;
  readonly #caches: Pick<Cache<ApiObject>, "isSynced" | "synced" | "close">[] = [];
  readonly #persistentVolumes: Cache<PersistentVolume>;

  constructor(options: ControllerOptions) {
    const { api, namespace, agentSelector, nodeMissingForMs, logger, now = Date.now } = options;
    this.#options = options;
    const nodes = this.#store(NODE);
    const pods = this.#store(AGENT_POD, { labelSelector: agentSelector }, namespace);
    this.#parts = {
      volumes: this.#store(THIN_VOLUME),
      snapshots: this.#store(THIN_SNAPSHOT),
      groups: this.#store(THIN_SNAPSHOT_GROUP),
      pools: this.#store(THIN_POOL),
      nodePools: this.#store(NODE_THIN_POOL),
      nodes,
      agents: new Agents(pods.cache, nodes.cache),
      claims: { get: async (claimNamespace, name, signal) => getClaim(api, claimNamespace, name, signal) },
      locks: new Locks(),
      nodeMissingForMs,
      now,
      logger,
      synced: async (call) => this.#untilSynced(call),
    };
    this.#persistentVolumes = this.#store(PERSISTENT_VOLUME).cache;
    this.volumes = new ClusterVolumes(this.#parts);
  }

  /** Not before all first lists are in: what is not in memory yet proves nothing. */
  health(): Condition {
    const waiting = this.#caches.filter(({ isSynced }) => !isSynced).length;
    return waiting === 0
      ? { abnormal: false, message: "the controller serves" }
      : { abnormal: true, message: `${waiting} kinds of objects have not been listed yet` };
  }

  /** Whether a node has this driver, by its pods or by its pools. */
  isNode(name: string): boolean {
    const { agents, nodePools } = this.#parts;
    return agents.trouble(name) === undefined || [...nodePools.cache.items.values()].some(({ spec }) => spec.nodeName === name);
  }

  /** Volumes that nobody claims. */
  get unclaimedCount(): number {
    return [...this.#parts.volumes.cache.items.values()].filter(isUnclaimed).length;
  }

  /** What one controller at a time looks after, until the signal. */
  async runTasks(signal: AbortSignal, options: Omit<TaskOptions, "logger"> = {}): Promise<void> {
    const { logger, startupTaint, driverName } = this.#options;
    const parts = this.#parts;
    const synced = Promise.all(this.#caches.map(async (cache) => cache.synced));
    await untilAborted(synced, signal);
    if (signal.aborted) return;
    const tasks = [tombstones(parts), poolStatus(parts), unclaimed(parts, this.#persistentVolumes, driverName)];
    const all = startupTaint === undefined ? tasks : [...tasks, startupTaints(parts, startupTaint)];
    await runTasks(all, signal, { logger, ...options });
  }

  async close(): Promise<void> {
    await Promise.all(this.#caches.map(async (cache) => cache.close()));
  }

  #store<Item extends ApiObject>(kind: Kind<Item>, selection: Selection = {}, namespace?: string): Store<Item> {
    const { api, logger } = this.#options;
    const objects = api.objects(kind, namespace);
    const cache = new WatchCache(objects, { logger: logger.child({ watch: kind.kind }), selection });
    this.#caches.push(cache);
    return { api: objects, cache };
  }

  async #untilSynced(call: Call): Promise<void> {
    if (this.#caches.every(({ isSynced }) => isSynced)) return;
    await untilAborted(Promise.all(this.#caches.map(async ({ synced }) => synced)), call.signal);
  }
}

/** Resolves when the promise does, or when the signal aborts. */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
