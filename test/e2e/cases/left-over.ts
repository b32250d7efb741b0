import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import type { Scene } from "../scene.ts";

const OBJECTS = ["pv", "volumesnapshotcontent", "volumegroupsnapshotcontent", "thinvolume", "thinsnapshot", "thinsnapshotgroup"];

/** All namespaces of the cases are gone; what they had must be. */
async function nothing(scene: Scene): Promise<void> {
  for (const kind of OBJECTS) await scene.until(kind, `no ${kind}`, (objects) => (objects.length === 0 ? true : undefined));
  for (const node of scene.cluster.nodes) {
    const devices = (await node.run(["dmsetup", "ls", "--target", "thin"])).replace("No devices found", "").trim();
    assert.equal(devices, "", `thin devices on ${node.name}`);
    const mounts = (await node.run(["cat", "/proc/mounts"])).split("\n").filter((line) => line.includes("/kubelet/") && /csi|dmthin/.test(line));
    assert.deepEqual(mounts, [], `mounts on ${node.name}`);
  }
  await scene.until("nodethinpool", "pools that hold nothing", (pools) => {
    const empty = pools.every(({ status }) => ["volumes", "snapshots", "orphans"].every((count) => (status?.[count] ?? 0) === 0));
    return pools.length > 0 && empty ? true : undefined;
  });
}

export const LEFT_OVER: readonly Case[] = [{ name: "nothing is left over", alone: true, swept: true, run: nothing }];
