import type { ApiServer } from "../../../src/cluster/api/objects-api.ts";
import { WatchCache } from "../../../src/cluster/api/watch-cache.ts";
import { Controller } from "../../../src/cluster/controller/controller.ts";
import { NodeReconciler } from "../../../src/cluster/node/node-reconciler.ts";
import type { Store } from "../../../src/cluster/api/store.ts";
import { AGENT_POD, NODE as CLUSTER_NODE } from "../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "../../../src/cluster/objects/kinds.ts";
import type { ApiObject } from "../../../src/cluster/objects/meta.ts";
import { nodeThinPoolName } from "../../../src/cluster/objects/node-thin-pool.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { AdoptionWanted } from "../../../src/volumes/upkeep.ts";
import type { Call, Capacity, Volume } from "../../../src/volumes/volumes.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { NAMESPACE, NODE, POOL } from "./description.ts";
import { DISKS, SimulatedNode } from "./simulated-world.ts";
import type { World, WorldOptions } from "./world.ts";

const LABELS = { "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/component": "node" };
/** How the controllers of this cluster are told to run. */
export const CONTROLLER = {
  namespace: NAMESPACE,
  agentSelector: Object.entries(LABELS)
    .map(([key, value]) => `${key}=${value}`)
    .join(","),
  nodeMissingForMs: 600_000,
  startupTaint: undefined,
  driverName: "csi.dmthin.io",
};
/** Nobody runs it, so that nobody has to end it either. */
const AGENT = { nodeName: NODE, containers: [{ name: "dmthin", image: "dmthin" }], terminationGracePeriodSeconds: 0 };
const NODE_POOL = nodeThinPoolName(POOL, NODE);
/** Sidecars wait for a minute. What does not end by itself is told to be in progress after this; in memory all else is quicker. */
const PATIENCE_MS = 2500;
const HASTE = { minimumMs: 1, maximumMs: 20 };

interface Running {
  readonly controller: Controller;
  readonly close: () => Promise<void>;
}

/**
 * The simulated machine as a node of a cluster: what is asked of volumes goes to a controller, which writes it into objects;
 * the node's reconciler carries them out. What is done on the node itself, by the kubelet or an operator, goes there.
 */
export class ClusterWorld extends SimulatedNode implements World {
  readonly #api: ApiServer;
  readonly #patienceMs: number;
  #isInstalled = false;
  #running: Running | undefined;

  constructor(options: WorldOptions = {}, api: ApiServer = new SimulatedApiServer(), patienceMs = PATIENCE_MS) {
    super(options);
    this.#api = api;
    this.#patienceMs = patienceMs;
  }

  get volumes(): World["volumes"] {
    const { local } = this;
    const { volumes } = this.controller;
    const inTime = (call: Call): Call => ({ ...call, deadline: call.deadline ?? Date.now() + this.#patienceMs });
    return {
      create: async (wanted, call) => volumes.create(wanted, inTime(call)),
      delete: async (id, call) => volumes.delete(id, inTime(call)),
      get: async (id, call) => volumes.get(id, inTime(call)),
      list: async (page, call) => volumes.list(page, inTime(call)),
      expand: async (id, size, call) => volumes.expand(id, size, inTime(call)),
      modify: async (id, change, call) => volumes.modify(id, change, inTime(call)),
      capacity: async (wanted, call) => this.#capacity(wanted, inTime(call)),
      createSnapshot: async (wanted, call) => volumes.createSnapshot(wanted, inTime(call)),
      deleteSnapshot: async (id, call) => volumes.deleteSnapshot(id, inTime(call)),
      getSnapshot: async (id, call) => volumes.getSnapshot(id, inTime(call)),
      listSnapshots: async (filter, page, call) => volumes.listSnapshots(filter, page, inTime(call)),
      createGroup: async (wanted, call) => volumes.createGroup(wanted, inTime(call)),
      deleteGroup: async (id, ids, call) => volumes.deleteGroup(id, ids, inTime(call)),
      getGroup: async (id, ids, call) => volumes.getGroup(id, ids, inTime(call)),
      node: local.node,
      stage: local.stage.bind(local),
      unstage: local.unstage.bind(local),
      publish: local.publish.bind(local),
      unpublish: local.unpublish.bind(local),
      stats: local.stats.bind(local),
      expandFilesystem: local.expandFilesystem.bind(local),
      health: local.health.bind(local),
      orphans: local.orphans.bind(local),
      adoptOrphan: async (wanted, call) => this.#adoptOrphan(wanted, call),
      deleteOrphan: local.deleteOrphan.bind(local),
      makeKnown: local.makeKnown.bind(local),
      addDevices: local.addDevices.bind(local),
      extend: local.extend.bind(local),
    };
  }

  override async start(): Promise<void> {
    await super.start();
    await this.#install();
    const reconciler = this.#startAgent();
    await this.#tellAgent(true);
    const controller = new Controller({ ...CONTROLLER, api: this.#api, logger: silentLogger });
    this.#running = { controller, close: async () => void (await Promise.all([controller.close(), reconciler.close()])) };
  }

  override async stop(): Promise<void> {
    await this.#leave();
    await super.stop();
  }

  override async kill(): Promise<void> {
    await super.kill();
    await this.#leave();
  }

  override async powerCut(): Promise<void> {
    await super.powerCut();
    await this.#leave();
  }

  override async dispose(): Promise<void> {
    await this.#leave();
    await super.dispose();
  }

  /** That runs now. */
  get controller(): Controller {
    if (this.#running === undefined) throw new Error("the driver is not running");
    return this.#running.controller;
  }

  async #leave(): Promise<void> {
    await this.#running?.close();
    if (this.#running !== undefined) await this.#tellAgent(false);
    this.#running = undefined;
  }

  /** The Node, its agent's pod and the pool, as the cluster knows them. */
  async #install(): Promise<void> {
    if (this.#isInstalled) return;
    this.#isInstalled = true;
    await this.#api.objects(CLUSTER_NODE).create({ metadata: { name: NODE }, spec: {} });
    await this.#api.objects(AGENT_POD, NAMESPACE).create({ metadata: { name: "agent", labels: LABELS }, spec: AGENT });
    await this.#api.objects(THIN_POOL).create({ metadata: { name: POOL }, spec: { backing: { devices: DISKS } } });
    await this.#api.objects(NODE_THIN_POOL).create({ metadata: { name: NODE_POOL }, spec: { nodeName: NODE, poolName: POOL } });
    await this.#tellPool({ phase: "Ready", state: "rw" });
  }

  async #tellAgent(isReady: boolean): Promise<void> {
    const status = { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] };
    await this.#api.objects(AGENT_POD, NAMESPACE).patch("agent", { status }, { subresource: "status" });
  }

  async #tellPool(status: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#api.objects(NODE_THIN_POOL).patch(NODE_POOL, { status }, { subresource: "status" });
  }

  #startAgent(): { close(): Promise<void> } {
    const stores = { volumes: this.#ofNode(THIN_VOLUME), snapshots: this.#ofNode(THIN_SNAPSHOT), groups: this.#ofNode(THIN_SNAPSHOT_GROUP) };
    const recorder = { event: () => undefined };
    const { local, pool } = this;
    const reconciler = new NodeReconciler({ node: NODE, pools: [pool], local, ...stores, recorder, logger: silentLogger, queue: HASTE, lookMs: 10 });
    return {
      close: async () => {
        await reconciler.close();
        await Promise.all([stores.volumes.cache.close(), stores.snapshots.cache.close(), stores.groups.cache.close()]);
      },
    };
  }

  #ofNode<Item extends ApiObject>(kind: Kind<Item>): Store<Item> {
    const api = this.#api.objects(kind);
    return { api, cache: new WatchCache(api, { logger: silentLogger, selection: { fieldSelector: `spec.nodeName=${NODE}` }, backoff: HASTE }) };
  }

  /** The node tells its figures when they have changed by much, some time later: here at once, and exactly. */
  async #capacity(wanted: Parameters<World["volumes"]["capacity"]>[0], call: Call): Promise<Capacity> {
    const { availableBytes } = await this.local.capacity({ ...wanted, node: undefined });
    await this.#tellPool({ availableBytes, chunkSizeBytes: this.view.figures?.chunkSize });
    for (;;) {
      const capacity = await this.controller.volumes.capacity(wanted, call);
      if (capacity.availableBytes === availableBytes || wanted.node !== undefined) return capacity;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** In a cluster, an administrator then makes the object of what the node has adopted: the node finds it made. */
  async #adoptOrphan(wanted: AdoptionWanted, call: Call): Promise<Volume> {
    const adopted = await this.local.adoptOrphan(wanted, call);
    const { id, name, sizeBytes, capabilities } = adopted.record;
    const volumes = this.#api.objects(THIN_VOLUME);
    const spec = { name, nodeName: NODE, poolName: POOL, requiredBytes: sizeBytes, capabilities };
    if ((await volumes.get(id)) === undefined) await volumes.create({ metadata: { name: id }, spec });
    while ((await volumes.get(id))?.status.phase === "Pending") await new Promise((resolve) => setTimeout(resolve, 1));
    return adopted;
  }
}
