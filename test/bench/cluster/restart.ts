import { setTimeout as sleep } from "node:timers/promises";
import { NAMESPACE } from "../../e2e/installation.ts";
import type { Cluster } from "../../lab/cluster/cluster.ts";
import type { ClusterNode } from "../../lab/cluster/node.ts";
import { isTrue, type ApiObject, type Fields } from "../../lab/cluster/objects.ts";
import { firstLineAt } from "./driver-log.ts";

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${encodeURIComponent("app.kubernetes.io/component=node")}`;
const METRICS_PORT = 9808;
const PATIENCE_SECONDS = 120;
const LOOK_MS = 50;

/** Milliseconds. */
export interface Restart {
  /** From the end of the old process until it said that it serves: kubelet, containerd and the program's start are in it. */
  readonly served: number;
  /** Of these, from the new process's first line on. */
  readonly ownShare: number;
  /** Until the pod was Ready for the cluster. */
  readonly ready: number;
  /** What it said that it waited for, and for how long of the time that it was asked. */
  readonly waits: ReadonlyMap<string, number>;
  readonly mountsBefore: number;
  /** Mounts that are not as they were: made anew, gone, or others. */
  readonly mountsChanged: number;
}

/** Ends the driver's process on a node, as a crash or as an upgrade would, and waits until it serves again. */
export async function restart(cluster: Cluster, node: ClusterNode, how: "killed" | "pod deleted"): Promise<Restart> {
  const before = await podOn(cluster, node.name, () => true);
  const mountsBefore = await volumeMounts(node);
  const begun = Date.now();
  if (how === "killed") await node.run(["pkill", "-KILL", "-f", "[b]in/dmthin node --config"]);
  else await cluster.api.delete(`/api/v1/namespaces/${NAMESPACE}/pods/${before.metadata.name}`);
  const isNew = (pod: ApiObject): boolean => pod.metadata.uid !== before.metadata.uid || restartsOf(pod) > restartsOf(before);
  // A container that is started again keeps its pod's address, and nobody answers there meanwhile.
  const address =
    how === "killed" ? Promise.resolve(addressOf(before)) : podOn(cluster, node.name, (pod) => isNew(pod) && addressOf(pod) !== "").then(addressOf);
  const [ready, served] = await Promise.all([podReady(cluster, node.name, isNew), address.then(serves)]);
  const after = await volumeMounts(node);
  const { metadata } = await podOn(cluster, node.name, isNew);
  return {
    served: served.at - begun,
    waits: served.waits,
    ownShare: served.at - (await firstLineAt(cluster, metadata.name)) + (await clockAhead(node)),
    ready: ready - begun,
    mountsBefore: mountsBefore.size,
    mountsChanged: [...mountsBefore].filter((mount) => !after.has(mount)).length + [...after].filter((mount) => !mountsBefore.has(mount)).length,
  };
}

async function podOn(cluster: Cluster, node: string, condition: (pod: ApiObject) => boolean): Promise<ApiObject> {
  const find = (pods: readonly ApiObject[]) =>
    pods.find((pod) => pod.spec?.nodeName === node && pod.metadata.deletionTimestamp === undefined && condition(pod));
  return cluster.api.until(PODS, find, { what: `the driver's pod on ${node}`, seconds: PATIENCE_SECONDS });
}

/** @returns when, in milliseconds since 1970 */
async function podReady(cluster: Cluster, node: string, isNew: (pod: ApiObject) => boolean): Promise<number> {
  await podOn(cluster, node, (pod) => isNew(pod) && isTrue(pod, "Ready"));
  return Date.now();
}

function addressOf({ status }: ApiObject): string {
  const address = status?.["podIP"];
  return typeof address === "string" ? address : "";
}

interface Served {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly waits: ReadonlyMap<string, number>;
}

/** Asks for its readiness itself: the kubelet does so every few seconds only. */
async function serves(address: string): Promise<Served> {
  const waits = new Map<string, number>();
  const url = `http://${address}:${METRICS_PORT}/readyz`;
  for (let looks = 0; looks < (PATIENCE_SECONDS * 1000) / LOOK_MS; looks += 1) {
    const begun = Date.now();
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.ok === true) return { at: Date.now(), waits };
    const said = await answer?.text().catch(() => undefined);
    await sleep(LOOK_MS);
    if (said !== undefined) waits.set(said.trim(), (waits.get(said.trim()) ?? 0) + Date.now() - begun);
  }
  throw new Error(`nothing serves at ${url}`);
}

const restartsOf = ({ status }: ApiObject): number => {
  const [first] = (status?.["containerStatuses"] ?? []) as readonly Fields[];
  return Number(first?.["restartCount"] ?? 0);
};

/** By how much the node's clock is ahead of this machine's, in milliseconds. */
async function clockAhead(node: ClusterNode): Promise<number> {
  const before = Date.now();
  const told = Number(await node.run(["date", "+%s%3N"]));
  return told - (before + Date.now()) / 2;
}

/** What the kernel has mounted of thin volumes for pods, by the mounts' own numbers: one that is made anew has another. */
async function volumeMounts(node: ClusterNode): Promise<Set<string>> {
  const lines = (await node.run(["cat", "/proc/1/mountinfo"])).split("\n");
  return new Set(lines.filter((line) => / \/var\/lib\/kubelet\/(pods|plugins)\/.* - (ext4|xfs|btrfs) /.test(line)));
}
