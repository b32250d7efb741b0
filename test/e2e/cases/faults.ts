import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { NAMESPACE, poolsReady } from "../installation.ts";
import type { Fields } from "../../lab/cluster/objects.ts";
import { claim, pod, snapshot } from "../manifests.ts";
import { field, type Scene } from "../scene.ts";

const numbered = (count: number, name: string): readonly string[] => Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** Kills a role of the driver on a node, as a crash would, once it is there. */
async function kill(scene: Scene, node: string, role: "node" | "controller"): Promise<void> {
  const script = `tries=0; until pkill -KILL -f '[b]in/dmthin ${role} --config'; do tries=$((tries + 1)); [ $tries -lt 600 ]; sleep 0.1; done`;
  await scene.cluster.node(node).run(["sh", "-ec", script]);
}

/** Of each of these claims a clone and an expansion, both of them under way when the driver is killed. */
async function killedDuringCopies(scene: Scene, node: string, names: readonly string[]): Promise<void> {
  const size = "128Mi";
  const written = await Promise.all(names.map((name) => scene.sum(name)));
  const clones = names.map((name) => `clone-of-${name}`);
  const cloneOf = (name: string) => claim(`clone-of-${name}`, { size, source: { kind: "PersistentVolumeClaim", name }, storageClass: "dmthin-immediate" });
  await scene.apply(...names.map(cloneOf));
  for (const name of names) await scene.expand(name, size);
  for (let kills = 0; kills < 2; kills += 1) {
    await kill(scene, node, "node");
    await sleep(2500);
  }
  await scene.bound(...clones);
  for (const name of names) await scene.expanded(name, size);
  await scene.apply(...clones.map((name) => pod(name, { claims: [name] })));
  await scene.ready(...clones);
  assert.deepEqual(await Promise.all(clones.map((name) => scene.sum(name))), written);
  assert.deepEqual(await Promise.all(names.map((name) => scene.sum(name))), written);
}

async function nodePluginKilled(scene: Scene): Promise<void> {
  const [node = assert.fail("no node")] = scene.cluster.nodes.map(({ name }) => name);
  await scene.apply(claim("steady"), pod("steady", { claims: ["steady"], node }));
  await scene.ready("steady");
  const steady = await scene.write("steady");
  const names = numbered(4, "during");
  await scene.apply(...names.flatMap((name) => [claim(name), pod(name, { claims: [name], node })]));
  for (let kills = 0; kills < 4; kills += 1) {
    await kill(scene, node, "node");
    await sleep(2500); // into another part of what goes on
  }
  await scene.ready(...names);
  const written = await Promise.all(names.map((name) => scene.write(name)));
  await scene.apply(...names.map((name) => snapshot(name, name)));
  await kill(scene, node, "node");
  await scene.snapshotReady(...names);
  assert.equal(await scene.sum("steady"), steady); // its mount outlived the driver
  await killedDuringCopies(scene, node, names);
  await scene.kubectl("delete", "pods", ...names, "--wait=false");
  await kill(scene, node, "node");
  await scene.gone("pod", ...names);
  await scene.apply(...names.map((name) => pod(name, { claims: [name] })));
  await scene.ready(...names);
  assert.deepEqual(await Promise.all(names.map((name) => scene.sum(name))), written);
}

async function kubeletRestarted(scene: Scene): Promise<void> {
  const [node = assert.fail("no node")] = scene.cluster.nodes;
  await scene.apply(claim("before"), pod("before", { claims: ["before"], node: node.name }));
  await scene.ready("before");
  const written = await scene.write("before");
  await node.stopKubelet();
  await scene.apply(claim("meanwhile"), pod("meanwhile", { claims: ["meanwhile"], node: node.name }));
  await node.startKubelet();
  await scene.ready("before", "meanwhile"); // the driver is registered again
  assert.equal(await scene.sum("before"), written);
  await scene.remove("pod", "before");
}

async function nodeRebooted(scene: Scene): Promise<void> {
  const [node = assert.fail("no node")] = scene.cluster.nodes;
  const classes = ["dmthin-ext4", "dmthin-xfs", "dmthin-btrfs", "dmthin-disks"];
  await scene.apply(
    ...classes.flatMap((storageClass) => [
      claim(storageClass, { storageClass, size: "400Mi" }),
      pod(storageClass, { claims: [storageClass], node: node.name }),
    ]),
  );
  await scene.ready(...classes);
  const written = await Promise.all(classes.map((name) => scene.write(name)));
  const starts = await restarts(scene, classes);
  await node.cutPower();
  await node.start();
  await scene.cluster.nodesReady();
  await scene.until("pod", "the pods run again", (pods) => {
    const again = pods.filter(
      ({ metadata, status }) =>
        classes.includes(metadata.name) &&
        restartsOf(status) > (starts.get(metadata.name) ?? 0) &&
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    return again.length === classes.length || undefined;
  });
  assert.deepEqual(await Promise.all(classes.map((name) => scene.sum(name))), written);
  await poolsReady(scene.cluster);
}

const restartsOf = (status: Fields | undefined): number => Number(field(status, "containerStatuses", "0", "restartCount"));

async function restarts(scene: Scene, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return scene.until(
    "pod",
    "the pods",
    (pods) => new Map(pods.filter(({ metadata }) => names.includes(metadata.name)).map(({ metadata, status }) => [metadata.name, restartsOf(status)])),
  );
}

async function controllerKilled(scene: Scene): Promise<void> {
  const names = numbered(6, "during");
  const selector = ["--namespace", NAMESPACE, "--selector", "app.kubernetes.io/component=controller"];
  const placed = await scene.cluster.kubectl(["get", "pods", ...selector, "-o", "jsonpath={.items[*].spec.nodeName}"]);
  const nodes = [...new Set(placed.split(" "))];
  await scene.apply(...names.map((name) => claim(name, { storageClass: "dmthin-immediate" })));
  for (let kills = 0; kills < 3; kills += 1) {
    await Promise.all(nodes.map((node) => kill(scene, node, "controller")));
    await sleep(3000);
  }
  await scene.bound(...names);
  await scene.apply(...names.map((name) => pod(name, { claims: [name] })));
  await scene.ready(...names);
  assert.equal(new Set(await Promise.all(names.map((name) => scene.volumeId(name)))).size, names.length);
  await scene.cluster.kubectl(["rollout", "status", "deployment/dmthin-controller", "--namespace", NAMESPACE, "--timeout=300s"]);
}

const AWAY_MS = 60_000;

async function apiServerStopped(scene: Scene): Promise<void> {
  await scene.apply(claim("steady"), pod("steady", { claims: ["steady"] }));
  await scene.ready("steady");
  const steady = await scene.write("steady");
  const names = numbered(4, "during");
  await scene.apply(...names.map((name) => claim(name, { storageClass: "dmthin-immediate" })));
  await scene.cluster.controlPlane.stopApiServer();
  await sleep(AWAY_MS);
  await scene.cluster.controlPlane.startApiServer();
  await scene.bound(...names);
  await scene.apply(...names.map((name) => pod(name, { claims: [name] })));
  await scene.ready(...names);
  assert.equal(await scene.sum("steady"), steady);
}

async function anyOrder(scene: Scene): Promise<void> {
  await scene.apply(claim("origin"), pod("writer", { claims: ["origin"] }));
  await scene.ready("writer");
  const written = await scene.write("writer");
  await scene.apply(snapshot("moment", "origin"));
  await scene.snapshotReady("moment");
  await scene.kubectl("delete", "pvc", "origin", "--wait=false"); // while a pod runs on it
  await scene.untilIs("pvc", "origin", "waits for its pod", ({ metadata }) => metadata.deletionTimestamp !== undefined);
  assert.equal(await scene.sum("writer"), written);
  await scene.remove("pod", "writer");
  await scene.gone("pvc", "origin");
  await scene.apply(claim("copy", { source: { kind: "VolumeSnapshot", name: "moment" } }), pod("reader", { claims: ["copy"] }));
  await scene.ready("reader");
  await scene.remove("volumesnapshot", "moment"); // while its restore is in use
  assert.equal(await scene.sum("reader"), written);
}

async function wholeNamespace(scene: Scene): Promise<void> {
  const inside = `${scene.namespace}-whole`;
  await scene.cluster.kubectl(["create", "namespace", inside]);
  const names = numbered(3, "one");
  await scene.cluster.apply(
    names.flatMap((name) => [claim(name), pod(name, { claims: [name] })]),
    inside,
  );
  await scene.cluster.kubectl(["wait", "--namespace", inside, "--for=condition=Ready", "pod", "--all", "--timeout=240s"]);
  await scene.cluster.apply([snapshot("moment", "one-0")], inside);
  await scene.cluster.kubectl(["delete", "namespace", inside, "--wait=false"]);
  await scene.gone("namespace", inside);
}

export const FAULTS: readonly Case[] = [
  { name: "deletion in any order", run: anyOrder },
  { name: "deletion of a whole namespace", run: wholeNamespace },
  { name: "node plugin killed during each operation", alone: true, run: nodePluginKilled },
  { name: "kubelet restarted", alone: true, run: kubeletRestarted },
  { name: "controller killed during creation", alone: true, run: controllerKilled },
  { name: "API server stopped for a minute during creation", alone: true, swept: true, long: true, run: apiServerStopped },
  { name: "node rebooted: pods come back on intact data", alone: true, run: nodeRebooted },
];
