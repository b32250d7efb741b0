import { volumeId } from "../../../src/volumes/ids.ts";
import { nodeBinary } from "../../lab/checkout.ts";
import type { Cluster } from "../../lab/cluster/cluster.ts";
import type { ClusterNode } from "../../lab/cluster/node.ts";
import { idle, lifeOf } from "./api-load.ts";
import { arrivals, arrivalsOneByOne, fillNode, NAMESPACE, removeAll } from "./arrivals.ts";
import { driverRequests, type ApiRequest } from "./audit.ts";
import { POOL } from "./cluster-installation.ts";
import { creationPath } from "./creation-path.ts";
import { answeredCalls, type AnsweredCall } from "./driver-log.ts";
import { rows, type Findings } from "./figures.ts";
import { callsOf, durations, phase, requestsOf, totals, type Phase } from "./phases.ts";
import { restart, type Restart } from "./restart.ts";

const ONE_BY_ONE = 20;
const AT_ONCE = 50;
const VOLUMES = 200;

type Progress = (text: string) => void;
type Times = Readonly<Record<"create" | "stage" | "publish", readonly number[]>>;

/** Everything that a real cluster is needed for. */
export async function claims(cluster: Cluster, progress: Progress): Promise<readonly Findings[]> {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  await cluster.kubectl(["create", "namespace", NAMESPACE]);
  await arrivals(cluster, "pod", names(2, "first")); // what is only read or compiled once is by now
  await removeAll(cluster);
  const phases = await served(cluster, progress);
  progress("the same volumes without Kubernetes");
  const alone = await standalone(node);
  const [requests, calls] = await Promise.all([driverRequests(cluster.folder), answeredCalls(cluster)]);
  const found = [waits(phases, requests, calls), path(requestsOf(phases.podOne, requests), alone), lifeOf(requestsOf(phases.lives, requests), ONE_BY_ONE)];
  progress(`${VOLUMES} volumes on ${node.name}`);
  await fillNode(cluster, { node: node.name, pool: POOL, volumes: VOLUMES, idOf: volumeId });
  found.push(await idle(cluster, progress));
  progress(`restarting the driver on ${node.name}`);
  return [...found, restarts(await restart(cluster, node, "killed"), await restart(cluster, node, "pod deleted"))];
}

const names = (count: number, prefix: string): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

type Phases = Readonly<Record<"lives" | "podOne" | "boundOne" | "boundMany" | "podMany", Phase>>;

/** What is made at last stays. */
async function served(cluster: Cluster, progress: Progress): Promise<Phases> {
  progress(`${ONE_BY_ONE} claims with pods, one at a time`);
  const begun = Date.now();
  const podOne = await phase(() => arrivalsOneByOne(cluster, "pod", names(ONE_BY_ONE, "one")));
  progress("their end");
  await removeAll(cluster);
  const lives = { times: [], begun, ended: Date.now() };
  progress(`${ONE_BY_ONE} claims that are bound at once, one at a time`);
  const boundOne = await phase(() => arrivalsOneByOne(cluster, "nobody", names(ONE_BY_ONE, "immediate")));
  progress(`${AT_ONCE} of them together`);
  const boundMany = await phase(() => arrivals(cluster, "nobody", names(AT_ONCE, "together")));
  progress(`${AT_ONCE} claims with pods together`);
  const podMany = await phase(() => arrivals(cluster, "pod", names(AT_ONCE, "many")));
  return { lives, podOne, boundOne, boundMany, podMany };
}

function waits({ podOne, boundOne, boundMany, podMany }: Phases, requests: readonly ApiRequest[], calls: readonly AnsweredCall[]): Findings {
  const one = callsOf(podOne, requests, calls);
  const many = callsOf(podMany, requests, calls);
  return {
    title: "2 nodes",
    operations: rows({
      "claim and pod, until the pod is Running, 1 at a time": podOne.times,
      "  of it CreateVolume": durations(one, "CreateVolume"),
      "  of it NodeStageVolume, with mkfs.ext4": durations(one, "NodeStageVolume"),
      "  of it NodePublishVolume": durations(one, "NodePublishVolume"),
      "  of it the driver, all three": totals(one),
      [`claim and pod, until the pod is Running, ${AT_ONCE} at once`]: podMany.times,
      "  of it CreateVolume ": durations(many, "CreateVolume"),
      "  of it the driver, all three ": totals(many),
      "claim (Immediate), until it is Bound, 1 at a time": boundOne.times,
      "  of it the driver: CreateVolume": totals(callsOf(boundOne, requests, calls)),
      [`claim (Immediate), until it is Bound, ${AT_ONCE} at once`]: boundMany.times,
      "  of it the driver: CreateVolume ": totals(callsOf(boundMany, requests, calls)),
    }),
    figures: {},
  };
}

function path(requests: readonly ApiRequest[], alone: Times): Findings {
  const { operations, sequences } = creationPath(requests);
  return {
    title: "one CreateVolume, by the API server's clock",
    operations: [
      ...operations,
      ...rows({
        "standalone on the same node: CreateVolume": alone.create,
        "standalone: NodeStageVolume, with mkfs.ext4": alone.stage,
        "standalone: NodePublishVolume": alone.publish,
      }),
    ],
    figures: Object.fromEntries(Array.from(sequences, ([sequence, times]) => [`${times} times`, sequence])),
  };
}

async function standalone(node: ClusterNode): Promise<Times> {
  const disk = node.disks[1] ?? "";
  const script = [nodeBinary, "--disable-warning=ExperimentalWarning", "test/bench/cluster/standalone.ts"];
  return JSON.parse(await node.run([...script, disk, "/var/lib/dmthin/standalone", String(ONE_BY_ONE)])) as Times;
}

const seconds = (ms: number): number => Number((ms / 1000).toFixed(2));

const waitedFor = (how: string, { waits }: Restart) => Object.fromEntries(Array.from(waits, ([what, ms]) => [`${how}: seconds of "${what}"`, seconds(ms)]));

function restarts(killed: Restart, deleted: Restart): Findings {
  return {
    title: `the driver of a node with ${VOLUMES} volumes ends and begins again`,
    operations: [],
    figures: {
      ...waitedFor("killed", killed),
      ...waitedFor("pod deleted", deleted),
      "killed: from its end until it serves, seconds": seconds(killed.served),
      "killed: of these from its first line, seconds": seconds(killed.ownShare),
      "killed: until its pod is Ready, seconds": seconds(killed.ready),
      "pod deleted: until it serves, seconds": seconds(deleted.served),
      "pod deleted: of these from its first line, seconds": seconds(deleted.ownShare),
      "pod deleted: until its pod is Ready, seconds": seconds(deleted.ready),
      "mounts of volumes": killed.mountsBefore,
      "of these changed": killed.mountsChanged + deleted.mountsChanged,
    },
  };
}
