import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { claim, DATA, groupSnapshot, pod, snapshot } from "../manifests.ts";
import { field, type Scene } from "../scene.ts";

/** The size in bytes that a pod sees of its filesystem. */
const room = async (scene: Scene, name: string): Promise<number> => 1024 * Number(/\s(\d+)\s/.exec(await scene.sh(name, `df -k ${DATA} | tail -n 1`))?.[1]);

async function snapshotAndRestore(scene: Scene, type: string): Promise<void> {
  const storageClass = `dmthin-${type}`;
  await scene.apply(claim("origin", { storageClass, size: "400Mi" }), pod("writer", { claims: ["origin"] }));
  await scene.ready("writer");
  const before = await scene.write("writer");
  await scene.apply(snapshot("moment", "origin"));
  await scene.snapshotReady("moment");
  const after = await scene.write("writer"); // the snapshot keeps what was
  const source = { kind: "VolumeSnapshot", name: "moment" } as const;
  await scene.apply(claim("same", { storageClass, size: "400Mi", source }), pod("same", { claims: ["same"] }));
  await scene.apply(claim("larger", { storageClass, size: "800Mi", source }), pod("larger", { claims: ["larger"] }));
  await scene.ready("same", "larger");
  assert.equal(await scene.sum("same"), before);
  assert.equal(await scene.sum("larger"), before);
  assert.equal(await scene.sum("writer"), after);
  assert((await room(scene, "larger")) > 1.5 * (await room(scene, "same")), "the larger restore's filesystem is no larger");
}

/** Where the data is decides, unless the pod says that it cannot: then the scheduler says so. */
async function restoreElsewhere(scene: Scene): Promise<void> {
  await scene.apply(claim("origin"), pod("writer", { claims: ["origin"] }));
  const node = await scene.ready("writer");
  const written = await scene.write("writer");
  await scene.apply(snapshot("moment", "origin"));
  await scene.snapshotReady("moment");
  const elsewhere = scene.cluster.nodes.find(({ name }) => name !== node)?.name ?? assert.fail("one node only");
  const preferred = { weight: 100, preference: { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [elsewhere] }] } };
  const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preferred] } };
  await scene.apply(claim("copy", { source: { kind: "VolumeSnapshot", name: "moment" } }), pod("reader", { claims: ["copy"], spec: { affinity } }));
  assert.equal(await scene.ready("reader"), node);
  assert.equal(await scene.sum("reader"), written);
}

async function clone(scene: Scene): Promise<void> {
  await scene.apply(claim("origin"), pod("writer", { claims: ["origin"] }));
  await scene.ready("writer");
  const before = await scene.write("writer");
  await scene.apply(claim("clone", { source: { kind: "PersistentVolumeClaim", name: "origin" }, storageClass: "dmthin-immediate" }));
  await scene.bound("clone");
  const after = await scene.write("writer");
  await scene.apply(pod("reader", { claims: ["clone"] }));
  await scene.ready("reader");
  assert.equal(await scene.sum("reader"), before);
  await scene.write("reader");
  assert.equal(await scene.sum("writer"), after);
}

async function blockCopies(scene: Scene): Promise<void> {
  await scene.apply(claim("origin", { block: true }), pod("writer", { claims: ["origin"], block: true }));
  await scene.ready("writer");
  const before = await scene.writeDevice("writer");
  await scene.apply(snapshot("moment", "origin"));
  await scene.snapshotReady("moment");
  await scene.writeDevice("writer");
  await scene.apply(claim("copy", { block: true, source: { kind: "VolumeSnapshot", name: "moment" } }), pod("reader", { claims: ["copy"], block: true }));
  await scene.ready("reader");
  assert.equal(await scene.sumDevice("reader"), before);
}

/** Two volumes that a pod writes the same number to, one after the other: in no moment is the second ahead of the first. */
async function group(scene: Scene): Promise<void> {
  const labels = { together: "yes" };
  await scene.apply(claim("one", { labels }), claim("two", { labels }), pod("writer", { claims: ["one", "two"] }));
  await scene.ready("writer");
  await scene.sh("writer", `(n=0; while true; do n=$((n+1)); echo $n > ${DATA}/n; sync; echo $n > ${DATA}1/n; sync; done) > /tmp/out 2>&1 &`);
  await scene.apply(groupSnapshot("moment", labels));
  await scene.untilIs("volumegroupsnapshot", "moment", "ready to use", (object) => object.status?.["readyToUse"] === true);
  const members = await scene.until("volumesnapshot", "two members, ready", (objects) =>
    objects.filter(({ status }) => status?.["readyToUse"] === true).length === 2 ? objects : undefined,
  );
  for (const member of members) {
    const origin = String(field(member.spec, "source", "persistentVolumeClaimName"));
    await scene.apply(claim(`copy-${origin}`, { source: { kind: "VolumeSnapshot", name: member.metadata.name } }));
  }
  await scene.apply(pod("reader", { claims: ["copy-one", "copy-two"] }));
  await scene.ready("reader");
  const [one = 0, two = 0] = (await scene.sh("reader", `cat ${DATA}/n ${DATA}1/n`)).trim().split("\n").map(Number);
  assert(one === two || one === two + 1, `not one moment: ${one} and ${two}`);
  await scene.remove("volumegroupsnapshot", "moment");
}

export const COPIES: readonly Case[] = [
  ...["ext4", "xfs", "btrfs"].map((type) => ({
    name: `snapshot and restore, same size and larger, ${type}`,
    run: (scene: Scene) => snapshotAndRestore(scene, type),
  })),
  { name: "restore for a pod that would rather be on another node", run: restoreElsewhere },
  { name: "clone of a claim in use", run: clone },
  { name: "snapshot and restore, block", run: blockCopies },
  { name: "group snapshot and restore of all", run: group },
];
