import { strict as assert } from "node:assert";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { csiSanity, VERSION } from "../../conformance/csi-sanity.ts";
import { judge, parseReport } from "../../conformance/report.ts";
import { checkout } from "../../lab/checkout.ts";
import type { ClusterNode } from "../../lab/cluster/node.ts";
import type { Case } from "../case.ts";
import { NAMESPACE } from "../installation.ts";
import type { Scene } from "../scene.ts";

const GiB = 2 ** 30;
const FOLDER = "/run/csi-sanity";
const CONTROLLER = `${FOLDER}/controller.sock`;
const NODE = "/var/lib/kubelet/plugins/csi.dmthin.io/csi.sock";
/** Where the driver's pod sees what is made, and the kubelet has nothing. */
const MOUNTS = "/var/lib/kubelet/plugins/csi-sanity";
const READY_SECONDS = 60;

/** What the tests need and no installation has: `testing` offers attaching, of which csi-sanity tries a lot. */
const CONFIGURATION = {
  namespace: NAMESPACE,
  socket: `unix://${CONTROLLER}`,
  lease: "csi-sanity",
  kubeconfig: `${FOLDER}/kubeconfig`,
  startupTaint: "none",
  testing: { enableAttach: true },
};

/** Alpha, and a limit that this installation does not set: `npm run test:conformance` has both. */
const NOT_OFFERED = /Health|more volumes than the node max attach limit/;

/** A controller of its own beside the installed ones, which share the work by the objects alone; the node is the installed one. */
async function startController(scene: Scene, node: ClusterNode): Promise<void> {
  await node.run(["mkdir", "-p", FOLDER, MOUNTS]);
  await node.write(`${FOLDER}/kubeconfig`, await scene.cluster.kubectl(["config", "view", "--raw", "-o", "json"]));
  await node.write(`${FOLDER}/config.yaml`, JSON.stringify(CONFIGURATION));
  await node.write(`${FOLDER}/mutable.yaml`, 'discardOnDelete: "true"\nxfsNospaceMaxRetries: "5"\n');
  const program = `node ${join(checkout, "dist/main.js")} controller --config ${FOLDER}/config.yaml`;
  await node.run(["sh", "-c", `setsid --fork ${program} > ${FOLDER}/log 2>&1`]);
  for (let tries = 0; (await node.ask({ argv: ["test", "-S", CONTROLLER] })).code !== 0; tries += 1) {
    assert(tries < READY_SECONDS, await node.run(["cat", `${FOLDER}/log`]));
    await sleep(1000);
  }
}

async function sanity(scene: Scene, accessType: "mount" | "block"): Promise<void> {
  const [node = assert.fail("no node"), ...others] = scene.cluster.nodes;
  const binary = await csiSanity();
  const report = `${FOLDER}/${accessType}.xml`;
  for (const { name } of others) await scene.kubectl("cordon", name); // no volume is made there
  try {
    await startController(scene, node);
    const said = await node.ask({
      argv: [
        binary,
        `--csi.endpoint=unix://${NODE}`,
        `--csi.controllerendpoint=unix://${CONTROLLER}`,
        `--csi.testvolumeaccesstype=${accessType}`,
        `--csi.mountdir=${MOUNTS}/mount`,
        `--csi.stagingdir=${MOUNTS}/staging`,
        `--csi.testvolumesize=${GiB}`,
        `--csi.testvolumeexpandsize=${2 * GiB}`,
        `--csi.testvolumemutableparameters=${FOLDER}/mutable.yaml`,
        `--ginkgo.junit-report=${report}`,
        "--ginkgo.no-color",
        "--ginkgo.timeout=10m",
      ],
    });
    const specs = parseReport(await node.run(["cat", report])).filter(({ name, status }) => !(status === "skipped" && NOT_OFFERED.test(name)));
    const { tally, lines } = judge(specs);
    process.stdout.write(
      `csi-sanity ${VERSION}, ${accessType}: ${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n${lines.map((line) => `  ${line}\n`).join("")}`,
    );
    assert.equal(tally.failed, 0, said.stdout.slice(-20_000));
    assert(tally.passed > 0, said.stdout);
  } finally {
    await node.ask({ argv: ["pkill", "-f", `${FOLDER}/[c]onfig.yaml`] });
    for (const { name } of others) await scene.kubectl("uncordon", name);
  }
}

export const SANITY: readonly Case[] = (["mount", "block"] as const).map((accessType) => ({
  name: `csi-sanity against controller and node, ${accessType}`,
  alone: true,
  swept: true,
  run: (scene) => sanity(scene, accessType),
}));
