import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "../lab/checkout.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { NAMESPACE } from "./installation.ts";

const FOLDER = join(checkout, ".results/e2e");
const TAIL = "--tail=400";

/** What one needs to see why something failed, as commands of kubectl. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  objects: ["get", "--all-namespaces", "-o", "wide", "pods,pvc,pv,volumesnapshots,volumesnapshotcontents"],
  "objects-of-ours": ["get", "thinpools,nodethinpools,thinvolumes,thinsnapshots,thinsnapshotgroups"],
  events: ["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"],
  "thin-objects": ["get", "thinpools,nodethinpools,thinvolumes,thinsnapshots,thinsnapshotgroups", "-o", "yaml"],
  controller: ["logs", "--namespace", NAMESPACE, "--selector=app.kubernetes.io/component=controller", "--all-containers", "--prefix", TAIL],
  node: ["logs", "--namespace", NAMESPACE, "--selector=app.kubernetes.io/component=node", "--all-containers", "--prefix", TAIL],
  "driver-pods": ["describe", "pods", "--namespace", NAMESPACE],
};

/** Prints what is needed to understand a failure, and keeps all of it in .results/e2e. */
export async function report(cluster: Cluster, name: string, namespace: string | undefined): Promise<void> {
  const folder = join(FOLDER, name.replaceAll(/[^a-z0-9]+/gi, "-"));
  await mkdir(folder, { recursive: true });
  const questions = { ...QUESTIONS, ...(namespace === undefined ? {} : { case: ["describe", "pods,pvc,volumesnapshots", "--namespace", namespace] }) };
  for (const [question, args] of Object.entries(questions)) {
    const answer = await cluster.kubectl(args).catch(String);
    await writeFile(join(folder, `${question}.txt`), answer);
    if (["objects", "objects-of-ours", "case"].includes(question)) process.stdout.write(`--- ${question}\n${answer}\n`);
  }
  for (const node of cluster.nodes) {
    const told = await node
      .run(["sh", "-c", "dmsetup ls --tree; dmsetup status; grep -E 'dm-|csi' /proc/mounts; ps -ef; tail -n 300 /var/log/kubelet.log"])
      .catch(String);
    await writeFile(join(folder, `${node.name}.txt`), `${told}\n${node.log}`);
  }
  await cp(join(cluster.folder, "control-plane"), folder, { recursive: true, filter: (path) => !path.endsWith("/etcd") && !path.endsWith("kubeconfig") });
  process.stdout.write(`--- more in ${folder}\n`);
}
