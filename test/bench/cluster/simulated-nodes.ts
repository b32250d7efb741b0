import { connectApiServer } from "../../../src/cluster/api/connect.ts";
import type { KubernetesApiServer } from "../../../src/cluster/api/kubernetes-objects.ts";
import { WatchCache } from "../../../src/cluster/api/watch-cache.ts";
import { AGENT_POD, NODE } from "../../../src/cluster/objects/core.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { isAccepted, isTerminating, NODE_FINALIZER } from "../../../src/cluster/objects/meta.ts";
import { nodeThinPoolName } from "../../../src/cluster/objects/node-thin-pool.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { silentLogger } from "../../../src/logger.ts";

export const POOL = "bench";
const POOL_UUID = "00000000-0000-4000-8000-000000000000";
const TiB = 1024 ** 4;
/** A kubelet reports that many images at most, and they are most of what a Node is. Source: kubelet, nodeStatusMaxImages. */
const IMAGES = 50;

/** Nodes that are no more than their objects, and the drivers on them: what they are asked to make they have at once. */
export class SimulatedNodes implements AsyncDisposable {
  readonly #api: KubernetesApiServer;
  readonly #volumes: WatchCache<ThinVolume>;
  readonly #work: Promise<void>[] = [];
  #made = 0;

  private constructor(api: KubernetesApiServer) {
    this.#api = api;
    this.#volumes = new WatchCache(api.objects(THIN_VOLUME), { logger: silentLogger });
    this.#volumes.onChange((_, item) => {
      if (item !== undefined && !isAccepted(item) && !isTerminating(item)) this.#work.push(this.#carryOut(item));
    });
  }

  /** @param kubeconfig a file, of who may do everything */
  static async start(kubeconfig: string, namespace: string, names: readonly string[]): Promise<SimulatedNodes> {
    const api = await connectApiServer({ kubeconfig, service: undefined, userAgent: "bench", logger: silentLogger });
    await api.objects(THIN_POOL).create({ metadata: { name: POOL }, spec: { default: true, backing: { loop: { directory: "/srv/bench" } } } });
    for (const name of names) await makeNode(api, namespace, name);
    const nodes = new SimulatedNodes(api);
    await nodes.#volumes.synced;
    return nodes;
  }

  /** Rejects with what went wrong, if anything has. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#work);
    await this.#volumes.close();
    this.#api.close();
  }

  /** The two requests that a node makes. */
  async #carryOut({ metadata, spec }: ThinVolume): Promise<void> {
    const volumes = this.#api.objects(THIN_VOLUME);
    const { name, uid, resourceVersion, generation } = metadata;
    const accepted = await volumes.patch(name, { metadata: { finalizers: [NODE_FINALIZER] } }, { preconditions: { uid, resourceVersion } });
    if (accepted === undefined) throw new Error(`${name} went before it was accepted`);
    this.#made += 1;
    const time = new Date().toISOString();
    const status = {
      phase: "Ready",
      sizeBytes: spec.requiredBytes,
      poolUUID: POOL_UUID,
      deviceNumber: this.#made,
      createdAt: time,
      filesystem: "ext4",
      parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
      observedGeneration: generation,
      conditions: [{ type: "Ready", status: "True", reason: "Available", message: `it is in pool ${POOL}`, lastTransitionTime: time }],
    };
    const seen = { uid, resourceVersion: accepted.metadata.resourceVersion };
    await volumes.patch(name, { status }, { subresource: "status", preconditions: seen });
  }
}

async function makeNode(api: KubernetesApiServer, namespace: string, name: string): Promise<void> {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`example.com/label-${index}`, `${name}-${index}`]));
  await api.objects(NODE).create({ metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } } });
  const images = Array.from({ length: IMAGES }, (_, index) => ({
    names: [`registry.example.com/team/application-${index}:1.0.${index}`],
    sizeBytes: 50_000_000 + index,
  }));
  await api.objects(NODE).patch(name, { status: { images } }, { subresource: "status" });

  const pods = api.objects(AGENT_POD, namespace);
  const pod = `dmthin-node-${name}`;
  const spec = { nodeName: name, containers: [{ name: "dmthin", image: "dmthin" }] };
  await pods.create({ metadata: { name: pod, labels: { "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/component": "node" } }, spec });
  await pods.patch(pod, { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }, { subresource: "status" });

  const nodePools = api.objects(NODE_THIN_POOL);
  const nodePool = nodeThinPoolName(POOL, name);
  await nodePools.create({ metadata: { name: nodePool }, spec: { poolName: POOL, nodeName: name } });
  const status = { phase: "Ready", state: "rw", poolUUID: POOL_UUID, backing: "loop", chunkSizeBytes: 65_536, availableBytes: TiB, observedGeneration: 1 };
  await nodePools.patch(nodePool, { status }, { subresource: "status" });
}
