import { afterEach, beforeEach } from "@jest/globals";
import { Controller, type ControllerOptions } from "../../../../src/cluster/controller/controller.ts";
import { AGENT_POD, CLAIM, NODE } from "../../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { nodeThinPoolName } from "../../../../src/cluster/objects/node-thin-pool.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { GiB } from "../../../../src/units.ts";
import type { Call, Volumes, VolumeWanted } from "../../../../src/volumes/volumes.ts";
import { SimulatedApiServer, type ApiRequest } from "../../../simulation/api-server.ts";
import { ScriptedNode } from "./scripted-node.ts";

export const POOL = "fast";
const NAMESPACE = "dmthin-system";
const LABELS = { "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/component": "node" };

let requests = 0;
/** Repeated soon: what waits for a node is told so after `ms`, as a sidecar's time limit would. */
export const call = (ms = 10_000): Call => ({ signal: AbortSignal.timeout(ms + 1000), deadline: Date.now() + ms + 1000, requestId: `request-${++requests}` });
/** Its caller's time is nearly out: only what is decided already is answered otherwise than "in-progress". */
export const hasty = (): Call => call(150);

/** What a call was refused with; undefined when it was not. */
export const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

export const wanted = (name: string, more: Partial<VolumeWanted> = {}): VolumeWanted => ({
  name,
  size: { requiredBytes: BigInt(GiB), limitBytes: undefined },
  capabilities: [{ access: "mount", filesystem: undefined, mountFlags: [], mode: "SINGLE_NODE_WRITER" }],
  parameters: { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} },
  origin: { kind: "blank" },
  topology: undefined,
  ...more,
});

/** A cluster in memory: an API server, nodes that do as their scripts say, and a controller. */
export class Stage {
  readonly api = new SimulatedApiServer();
  readonly nodes = new Map<string, ScriptedNode>();
  readonly volumes = this.api.objects(THIN_VOLUME);
  readonly snapshots = this.api.objects(THIN_SNAPSHOT);
  readonly groups = this.api.objects(THIN_SNAPSHOT_GROUP);
  readonly pools = this.api.objects(THIN_POOL);
  readonly nodePools = this.api.objects(NODE_THIN_POOL);
  readonly clusterNodes = this.api.objects(NODE);
  /** Milliseconds since 1970, as the controllers see it. */
  now = Date.now();
  readonly #controllers: Controller[] = [];
  readonly #ending = new AbortController();

  static forEachTest(nodes: readonly string[] = ["one", "two"]): { readonly current: Stage; readonly controller: Volumes } {
    let stage: Stage | undefined;
    let controller: Volumes | undefined;
    beforeEach(async () => {
      stage = new Stage();
      await stage.addPool(POOL);
      for (const node of nodes) await stage.addNode(node);
      controller = (await stage.startController()).volumes;
    });
    afterEach(async () => stage?.end());
    return {
      get current() {
        if (stage === undefined) throw new Error("no stage before the test begins");
        return stage;
      },
      get controller() {
        if (controller === undefined) throw new Error("no controller before the test begins");
        return controller;
      },
    };
  }

  async addPool(name: string, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.pools.create({ metadata: { name }, spec: { backing: { loop: {} }, ...spec } });
  }

  /** A node whose driver is ready, with its pool. */
  async addNode(name: string, availableBytes: number = 100 * GiB): Promise<void> {
    await this.clusterNodes.create({ metadata: { name, labels: { "kubernetes.io/hostname": name } }, spec: {} });
    const pod = { metadata: { name: `agent-${name}`, labels: LABELS }, spec: { nodeName: name }, status: readiness(true) };
    await this.api.objects(AGENT_POD, NAMESPACE).create(pod);
    await this.addNodePool(name, POOL, availableBytes);
    this.nodes.set(name, new ScriptedNode(this.api, name));
  }

  async addNodePool(node: string, pool: string, availableBytes: number): Promise<void> {
    const name = nodeThinPoolName(pool, node);
    await this.nodePools.create({ metadata: { name }, spec: { nodeName: node, poolName: pool } });
    await this.tellPool(node, { phase: "Ready", state: "rw", poolUUID: "uuid-of-pool", chunkSizeBytes: 65536, availableBytes }, pool);
  }

  async tellPool(node: string, status: Readonly<Record<string, unknown>>, pool = POOL): Promise<void> {
    await this.nodePools.patch(nodeThinPoolName(pool, node), { status }, { subresource: "status" });
  }

  node(name: string): ScriptedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  async setAgent(node: string, isReady: boolean): Promise<void> {
    await this.api.objects(AGENT_POD, NAMESPACE).patch(`agent-${node}`, { status: readiness(isReady) }, { subresource: "status" });
  }

  /** Its pod is deleted, and ends: it stays as long as that takes. */
  async endAgent(node: string): Promise<void> {
    const pods = this.api.objects(AGENT_POD, NAMESPACE);
    await pods.patch(`agent-${node}`, { metadata: { finalizers: ["kubernetes.io/ending"] } });
    await pods.delete(`agent-${node}`);
  }

  /** Answers its uid. */
  async addClaim(name: string, selectedNode?: string): Promise<string> {
    const annotations = selectedNode === undefined ? {} : { "volume.kubernetes.io/selected-node": selectedNode };
    return (await this.api.objects(CLAIM, "default").create({ metadata: { name, annotations } })).metadata.uid;
  }

  async removeClaim(name: string): Promise<void> {
    await this.api.objects(CLAIM, "default").delete(name);
  }

  /** Another one, as after a change of leaders. Its caches are in. */
  async startController(options: Partial<ControllerOptions> = {}): Promise<Controller> {
    const controller = this.beginController(options);
    await controller.volumes.list({ maxEntries: 0, startingToken: "" }, call());
    return controller;
  }

  /** The same, as it is at once. */
  beginController(options: Partial<ControllerOptions> = {}): Controller {
    const controller = new Controller({
      api: this.api,
      namespace: NAMESPACE,
      agentSelector: Object.entries(LABELS)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
      nodeMissingForMs: 600_000,
      startupTaint: "dmthin.io/agent-not-ready",
      driverName: "csi.dmthin.io",
      logger: silentLogger,
      now: () => this.now,
      ...options,
    });
    this.#controllers.push(controller);
    return controller;
  }

  runTasks(controller: Controller): void {
    void controller.runTasks(this.#ending.signal, { settleMs: 5, retryMs: 50 });
  }

  /** Until what the watches have to tell is told. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => void setImmediate(resolve));
  }

  /** The requests of the kinds that are written, reads of claims among them, since the last time this was asked. */
  requestsSince(mark: number): readonly ApiRequest[] {
    return this.api.requests.slice(mark).filter(({ verb }) => verb !== "watch" && verb !== "list");
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#controllers, ...this.nodes.values()].map(async (each) => each.close()));
  }
}

const readiness = (isReady: boolean) => ({ conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] });
