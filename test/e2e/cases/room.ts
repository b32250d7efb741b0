import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { claim, DATA, pod, snapshot } from "../manifests.ts";
import type { Scene } from "../scene.ts";

/** Each node's pool promises no more than it has, 4 GiB: one of these fits on each, and no third. */
async function whereRoomIs(scene: Scene): Promise<void> {
  const options = { storageClass: "dmthin-strict", size: "2500Mi" };
  const nodes = new Set<string>();
  for (const name of ["one", "two"]) {
    await scene.apply(claim(name, options), pod(name, { claims: [name] }));
    nodes.add(await scene.ready(name));
    await scene.write(name);
  }
  assert.equal(nodes.size, 2, "both are on one node, where there is no room for both");
  await scene.apply(claim("three", options), pod("three", { claims: ["three"] }));
  await scene.event("Pod", "three", /enough free storage/);
  assert.match(await scene.describe("pod", "three"), /Status: +Pending/);
  await scene.remove("pod", "one");
  await scene.remove("pvc", "one");
  await scene.ready("three"); // there is room again
}

const FILL = `dd if=/dev/urandom of=${DATA}/fill bs=1M count=280 conv=notrunc,fsync`;

/** Written once it fits; written again under a snapshot, which keeps what was, it does not. */
async function fullPool(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { storageClass: "dmthin-tiny", size: "400Mi" }), pod("user", { claims: ["data"] }));
  const node = await scene.ready("user");
  const written = await scene.write("user", `${DATA}/file`, 1);
  await scene.sh("user", FILL);
  await scene.apply(snapshot("moment", "data"));
  await scene.snapshotReady("moment");
  await scene.shFails("user", FILL);
  const full = await scene.untilIs("nodethinpool", `tiny.${node}`, "says that it is full", ({ status }) => status?.["state"] === "out_of_data_space");
  assert.notEqual(full.status?.["message"], "", "it does not say what to do");
  assert.match(await scene.kubectl("describe", "nodethinpool", `tiny.${node}`), /out_of_data_space/);
  await scene.apply(snapshot("another", "data"));
  await scene.untilIs("volumesnapshot", "another", "says why there is none", ({ status }) => /tiny/.test(JSON.stringify(status?.["error"] ?? "")));
  assert.match(await scene.describe("volumesnapshot", "another"), /tiny/);
  assert.equal(await scene.sum("user", `${DATA}/file`), written);
  await scene.remove("volumesnapshot", "another");
  await scene.remove("pod", "user");
  await scene.remove("volumesnapshot", "moment"); // from a full pool too
  await scene.remove("pvc", "data");
  await scene.untilIs("nodethinpool", `tiny.${node}`, "has room again", ({ status }) => status?.["state"] === "rw");
}

export const ROOM: readonly Case[] = [
  { name: "capacity: a pod lands where there is room, and waits where there is none", run: whereRoomIs },
  { name: "a full pool, as kubectl describe shows it", run: fullPool },
];
