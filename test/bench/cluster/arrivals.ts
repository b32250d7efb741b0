import { claim, pod } from "../../e2e/manifests.ts";
import type { Cluster } from "../../lab/cluster/cluster.ts";
import type { ApiObject } from "../../lab/cluster/objects.ts";

export const NAMESPACE = "bench";
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
export const PODS = `${CORE}/pods`;
export const CLAIMS = `${CORE}/persistentvolumeclaims`;
const VOLUMES = "/apis/dmthin.io/v1alpha1/thinvolumes";
const PATIENCE_SECONDS = 480;
const SIZE = "64Mi";

/** How claims are used: by a pod each, which is waited for, or by nobody. */
export type Use = "pod" | "nobody";

const isThere: Readonly<Record<Use, (object: ApiObject) => boolean>> = {
  pod: ({ status }) => status?.phase === "Running",
  nobody: ({ status }) => status?.phase === "Bound",
};

/**
 * Makes claims, with pods where wanted, and waits until each pod is Running, or each claim Bound, as a watch tells it.
 * @returns how long each took from the moment that its own objects began to be made, in milliseconds
 */
export async function arrivals(cluster: Cluster, use: Use, names: readonly string[]): Promise<readonly number[]> {
  const begun = new Map<string, number>();
  const times = new Map<string, number>();
  const arrived = cluster.api.until(
    use === "pod" ? PODS : CLAIMS,
    (objects) => {
      for (const object of objects) {
        const start = begun.get(object.metadata.name);
        if (start === undefined || times.has(object.metadata.name) || !isThere[use](object)) continue;
        times.set(object.metadata.name, performance.now() - start);
      }
      return times.size === names.length || undefined;
    },
    { what: `${names.length} claims served`, seconds: PATIENCE_SECONDS },
  );
  const storageClass = use === "pod" ? "dmthin" : "dmthin-immediate";
  const make = async (name: string): Promise<void> => {
    begun.set(name, performance.now());
    await cluster.api.create(CLAIMS, { apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim(name, { storageClass, size: SIZE }) });
    if (use === "pod") await cluster.api.create(PODS, pod(name, { claims: [name] }));
  };
  await Promise.all([arrived, ...names.map(make)]);
  return Array.from(times.values());
}

/** One after the other. */
export async function arrivalsOneByOne(cluster: Cluster, use: Use, names: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const name of names) times.push(...(await arrivals(cluster, use, [name])));
  return times;
}

/** Deletes all pods and claims of the benchmark, and waits until no volume is left. */
export async function removeAll(cluster: Cluster): Promise<void> {
  for (const collection of [PODS, CLAIMS]) {
    const { items } = await cluster.api.list(collection);
    await Promise.all(items.map(async ({ metadata }) => cluster.api.delete(`${collection}/${metadata.name}`)));
  }
  await cluster.api.until(VOLUMES, (volumes) => volumes.length === 0 || undefined, { what: "no volumes left", seconds: PATIENCE_SECONDS });
}

export interface Filling {
  readonly node: string;
  readonly pool: string;
  /** How many it is to have in all. */
  readonly volumes: number;
  readonly idOf: (name: string) => string;
}

/** Makes volumes without claims on a node until it has as many as wanted. */
export async function fillNode(cluster: Cluster, { node, pool, volumes, idOf }: Filling): Promise<void> {
  const ofNode = (objects: readonly ApiObject[]): readonly ApiObject[] => objects.filter(({ spec }) => spec?.nodeName === node);
  const missing = volumes - ofNode((await cluster.api.list(VOLUMES)).items).length;
  const capabilities = [{ access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" }];
  for (let index = 0; index < missing; index++) {
    const name = `filling-${index}`;
    const spec = { name, nodeName: node, poolName: pool, requiredBytes: 64 * 1024 ** 2, capabilities };
    await cluster.api.create(VOLUMES, { apiVersion: "dmthin.io/v1alpha1", kind: "ThinVolume", metadata: { name: idOf(name) }, spec });
  }
  const areReady = (objects: readonly ApiObject[]): true | undefined =>
    ofNode(objects).filter(({ status }) => status?.phase === "Ready").length >= volumes || undefined;
  await cluster.api.until(VOLUMES, areReady, { what: `${volumes} volumes on ${node}`, seconds: PATIENCE_SECONDS });
}
