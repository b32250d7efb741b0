import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { poolsReady } from "../installation.ts";
import { claim, pod } from "../manifests.ts";
import type { ClusterNode } from "../../lab/cluster/node.ts";
import type { Scene } from "../scene.ts";

/** A node with a volume loses its power and its Node object; the claim is deleted, which nothing may hold up. */
async function losesItsNode(scene: Scene): Promise<{ readonly node: ClusterNode; readonly volume: string }> {
  const node = scene.cluster.nodes.at(-1) ?? assert.fail("no node");
  await scene.apply(claim("data"), pod("user", { claims: ["data"], node: node.name }));
  await scene.ready("user");
  const volume = await scene.volumeId("data");
  await node.cutPower();
  await scene.kubectl("delete", "node", node.name);
  await scene.kubectl("delete", "pod", "user", "--force", "--grace-period=0");
  await scene.remove("pvc", "data");
  await scene.until("pv", "the claim's volume gone", (all) => all.every(({ spec }) => !JSON.stringify(spec).includes(volume)) || undefined);
  await scene.untilIs("thinvolume", volume, "waits for its node", ({ metadata }) => metadata.deletionTimestamp !== undefined);
  return { node, volume };
}

async function comesBack(scene: Scene): Promise<void> {
  const { node, volume } = await losesItsNode(scene);
  await node.start();
  await scene.cluster.nodesReady();
  await scene.gone("thinvolume", volume); // carried out
  await poolsReady(scene.cluster);
  assert(!(await node.run(["dmsetup", "ls"])).includes(volume), "the volume is still there");
  await scene.untilIs("nodethinpool", `files.${node.name}`, "holds nothing", ({ status }) => status?.["volumes"] === 0 && (status["orphans"] ?? 0) === 0);
}

async function isForgotten(scene: Scene): Promise<void> {
  const { node, volume } = await losesItsNode(scene);
  const pools = await scene.until("nodethinpool", "the lost node's pools", (all) =>
    all.map(({ metadata }) => metadata.name).filter((name) => name.endsWith(`.${node.name}`)),
  );
  await scene.kubectl("annotate", "nodethinpool", ...pools, "dmthin.io/forget=true");
  await scene.gone("thinvolume", volume);
  await scene.gone("nodethinpool", ...pools);
  await node.start(); // what it holds of the forgotten is shown, not destroyed
  await scene.cluster.nodesReady();
  await poolsReady(scene.cluster);
  await scene.untilIs("nodethinpool", `files.${node.name}`, "shows what the cluster has forgotten", ({ status }) =>
    JSON.stringify(status?.["unclaimed"]).includes(volume),
  );
}

export const LOST_NODES: readonly Case[] = [
  { name: "a node that is gone holds up no deletion, and carries it out when it is back", alone: true, swept: true, long: true, run: comesBack },
];

/** Leaves on the node, on purpose, what the cluster has forgotten: nobody may look for what is left over after it. */
export const FORGOTTEN: readonly Case[] = [{ name: "a node that is gone for good is forgotten", alone: true, swept: true, long: true, run: isForgotten }];
