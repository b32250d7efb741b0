import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { claim, DATA, DEVICE, pod } from "../manifests.ts";
import { field, type Scene } from "../scene.ts";

const MiB = 2 ** 20;

async function online(scene: Scene, type: string): Promise<void> {
  await scene.apply(claim("data", { storageClass: `dmthin-${type}`, size: "400Mi" }), pod("user", { claims: ["data"] }));
  await scene.ready("user");
  const written = await scene.write("user");
  await scene.expand("data", "800Mi");
  await scene.expanded("data", "800Mi");
  const room = MiB * Number(/\s(\d+)\s/.exec(await scene.sh("user", `df -m ${DATA} | tail -n 1`))?.[1]);
  assert(room > 600 * MiB, `the filesystem has ${room} bytes`);
  assert.equal(await scene.sum("user"), written);
}

async function onlineBlock(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { block: true }), pod("user", { claims: ["data"], block: true }));
  await scene.ready("user");
  const written = await scene.writeDevice("user");
  await scene.expand("data", "128Mi");
  await scene.expanded("data", "128Mi");
  assert.equal(Number(await scene.sh("user", `blockdev --getsize64 ${DEVICE}`)), 128 * MiB);
  assert.equal(await scene.sumDevice("user"), written);
}

async function offline(scene: Scene): Promise<void> {
  await scene.apply(claim("data"), pod("first", { claims: ["data"] }));
  await scene.ready("first");
  const written = await scene.write("first");
  await scene.remove("pod", "first");
  await scene.expand("data", "256Mi");
  await scene.untilIs(
    "pvc",
    "data",
    "waits for a pod, or is done",
    ({ status }) => JSON.stringify(status).includes("FileSystemResizePending") || JSON.stringify(status).includes("256Mi"),
  );
  await scene.apply(pod("second", { claims: ["data"] }));
  await scene.ready("second");
  await scene.expanded("data", "256Mi");
  const room = MiB * Number(/\s(\d+)\s/.exec(await scene.sh("second", `df -m ${DATA} | tail -n 1`))?.[1]);
  assert(room > 200 * MiB, `the filesystem has ${room} bytes`);
  assert.equal(await scene.sum("second"), written);
}

async function attributes(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { storageClass: "dmthin-disks" }), pod("user", { claims: ["data"] }));
  await scene.ready("user");
  const id = await scene.volumeId("data");
  await scene.kubectl("patch", "pvc", "data", "--patch", JSON.stringify({ spec: { volumeAttributesClassName: "dmthin-discarding" } }));
  await scene.untilIs("pvc", "data", "has its attributes", ({ status }) => status?.["currentVolumeAttributesClassName"] === "dmthin-discarding");
  await scene.untilIs("thinvolume", id, "discards", ({ status }) => field(status, "parameters", "discardOnDelete") === true);
}

export const SIZES: readonly Case[] = [
  ...["ext4", "xfs", "btrfs"].map((type) => ({ name: `expansion while in use, ${type}`, run: (scene: Scene) => online(scene, type) })),
  { name: "expansion while in use, block", run: onlineBlock },
  { name: "expansion while not in use", run: offline },
  { name: "VolumeAttributesClass", run: attributes },
];
