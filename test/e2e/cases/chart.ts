import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { CommandFailed } from "../../lab/command.ts";
import { CHART, NAMESPACE, poolsReady, VALUES } from "../installation.ts";
import { claim, pod } from "../manifests.ts";
import type { Scene } from "../scene.ts";

async function helmTest(scene: Scene): Promise<void> {
  await scene.cluster.helm(["test", "dmthin", "--namespace", NAMESPACE, "--timeout", "5m"]);
}

const upgrade = (scene: Scene, values: object): Promise<string> =>
  scene.cluster.helm(["upgrade", "dmthin", CHART, "--namespace", NAMESPACE, "--values", "-", "--wait", "--timeout", "5m"], JSON.stringify(values));

/** The drivers of all nodes and the controllers are replaced under a pod that goes on. */
async function upgraded(scene: Scene): Promise<void> {
  await scene.apply(claim("data"), pod("user", { claims: ["data"] }));
  await scene.ready("user");
  const written = await scene.write("user");
  await upgrade(scene, { ...VALUES, log: { level: "info" } });
  await scene.cluster.kubectl(["rollout", "status", "daemonset/dmthin-node", "--namespace", NAMESPACE, "--timeout=300s"]);
  assert.equal(await scene.sum("user"), written);
  await scene.write("user");
  await scene.remove("pod", "user");
}

/** Refused while there are volumes; then what is on the nodes is left as it is, and found again by the next installation. */
async function uninstalled(scene: Scene): Promise<void> {
  await scene.apply(claim("data"), pod("user", { claims: ["data"] }));
  await scene.ready("user");
  const written = await scene.write("user");
  const uninstall = (...more: readonly string[]) => scene.cluster.helm(["uninstall", "dmthin", "--namespace", NAMESPACE, "--wait", "--timeout", "5m", ...more]);
  await assert.rejects(uninstall(), CommandFailed);
  assert.equal(await scene.sum("user"), written);
  await uninstall("--no-hooks");
  assert.equal(await scene.sum("user"), written); // nobody needs the driver for what is mounted
  const values = ["--values", "-", "--wait", "--timeout", "5m"];
  await scene.cluster.helm(["install", "dmthin", CHART, "--namespace", NAMESPACE, ...values], JSON.stringify(VALUES));
  await poolsReady(scene.cluster);
  await scene.remove("pod", "user");
  await scene.apply(pod("again", { claims: ["data"] }));
  await scene.ready("again");
  assert.equal(await scene.sum("again"), written);
}

export const CHART_CASES: readonly Case[] = [
  { name: "helm test", alone: true, run: helmTest },
  { name: "helm upgrade under pods that go on", alone: true, run: upgraded },
  { name: "helm uninstall loses no volume", alone: true, swept: true, run: uninstalled },
];
