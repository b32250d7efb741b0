import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { claim, claimSpec, DATA, DEVICE, pod, podSpec } from "../manifests.ts";
import type { Scene } from "../scene.ts";

/** A volume's whole use: written in one pod, read in the next. */
async function outlivesItsPod(scene: Scene, storageClass: string, type: string): Promise<void> {
  await scene.apply(claim("data", { storageClass, size: "400Mi" }), pod("first", { claims: ["data"] }));
  await scene.ready("first");
  assert.match(await scene.sh("first", "cat /proc/mounts"), new RegExp(` ${DATA} ${type} rw`));
  const written = await scene.write("first");
  await scene.remove("pod", "first");
  await scene.apply(pod("second", { claims: ["data"] }));
  await scene.ready("second");
  assert.equal(await scene.sum("second"), written);
}

async function immediate(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { storageClass: "dmthin-immediate" }));
  await scene.bound("data"); // nobody uses it yet
  await scene.apply(pod("user", { claims: ["data"] }));
  await scene.ready("user");
  await scene.write("user");
}

async function block(scene: Scene, storageClass: string): Promise<void> {
  await scene.apply(claim("data", { storageClass, block: true }), pod("first", { claims: ["data"], block: true }));
  await scene.ready("first");
  assert.equal(Number(await scene.sh("first", `blockdev --getsize64 ${DEVICE}`)), 64 * 2 ** 20);
  const written = await scene.writeDevice("first");
  await scene.remove("pod", "first");
  await scene.apply(pod("second", { claims: ["data"], block: true }));
  await scene.ready("second");
  assert.equal(await scene.sumDevice("second"), written);
}

async function options(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { storageClass: "dmthin-options" }), pod("user", { claims: ["data"] }));
  const node = await scene.ready("user");
  const [, device = ""] =
    /^(\S+) \/data ext4 (?=\S*noatime)(?=\S*discard)/m.exec(await scene.sh("user", "cat /proc/mounts")) ?? assert.fail("not mounted with noatime and discard");
  assert.match(await scene.cluster.node(node).run(["blkid", device]), / LABEL="labelled"/);
}

async function groupOfPod(scene: Scene): Promise<void> {
  const spec = { securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 } };
  await scene.apply(claim("data"), pod("user", { claims: ["data"], spec }));
  await scene.ready("user");
  await scene.write("user"); // not as root
  assert.equal((await scene.sh("user", `stat -c %g ${DATA}/file`)).trim(), "2000");
}

async function readOnly(scene: Scene): Promise<void> {
  await scene.apply(claim("data"), pod("writer", { claims: ["data"] }));
  const node = await scene.ready("writer");
  const written = await scene.write("writer");
  await scene.apply(pod("reader", { claims: ["data"], readOnly: true, node }));
  await scene.ready("reader");
  assert.equal(await scene.sum("reader"), written);
  assert.match(await scene.shFails("reader", `echo no > ${DATA}/file`), /Read-only file system/);
  assert.equal(await scene.sum("writer"), written);
}

async function onePodAlone(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { accessMode: "ReadWriteOncePod" }), pod("first", { claims: ["data"] }));
  await scene.ready("first");
  await scene.apply(pod("second", { claims: ["data"] }));
  await scene.event("Pod", "second", /ReadWriteOncePod/);
  await scene.remove("pod", "first");
  await scene.ready("second");
}

async function ephemeral(scene: Scene): Promise<void> {
  const volumes = [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec: claimSpec({}) } } }];
  await scene.apply(pod("user", { volumes }));
  await scene.ready("user");
  await scene.write("user");
  await scene.remove("pod", "user");
  await scene.gone("pvc", "user-scratch");
}

const REPLICAS = 10;

async function statefulSet(scene: Scene): Promise<void> {
  const labels = { app: "many" };
  await scene.apply({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "many" },
    spec: {
      replicas: REPLICAS,
      serviceName: "many",
      podManagementPolicy: "Parallel",
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec({ volumes: [{ name: "data" }], spec: { volumes: [] } }) },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec({}) }],
    },
  });
  await scene.untilIs("statefulset", "many", `has ${REPLICAS} ready pods`, (set) => set.status?.["readyReplicas"] === REPLICAS);
  const names = Array.from({ length: REPLICAS }, (_, index) => `many-${index}`);
  const written = await Promise.all(names.map((name) => scene.write(name, `${DATA}/file`, 1)));
  assert.equal(new Set(written).size, REPLICAS);
  await scene.kubectl("delete", "pods", ...names, "--wait=true");
  await scene.untilIs("statefulset", "many", "has its pods again", (set) => set.status?.["readyReplicas"] === REPLICAS);
  assert.deepEqual(await Promise.all(names.map((name) => scene.sum(name))), written);
}

export const BASIC: readonly Case[] = [
  ...["ext4", "xfs", "btrfs"].map((type) => ({
    name: `claim, WaitForFirstConsumer, ${type}`,
    run: (scene: Scene) => outlivesItsPod(scene, `dmthin-${type}`, type),
  })),
  { name: "claim, Immediate", run: immediate },
  { name: "claim, block", run: (scene) => block(scene, "dmthin") },
  { name: "claim, on a disk of the node (direct-lvm)", run: (scene) => outlivesItsPod(scene, "dmthin-disks", "ext4") },
  { name: "claim, block, on a disk of the node (direct-lvm)", run: (scene) => block(scene, "dmthin-disks") },
  { name: "mkfs options and mount options", run: options },
  { name: "fsGroup", run: groupOfPod },
  { name: "a second pod that only reads", run: readOnly },
  { name: "ReadWriteOncePod", run: onePodAlone },
  { name: "generic ephemeral volume", run: ephemeral },
  { name: "StatefulSet of 10", run: statefulSet },
];
