import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Cluster } from "../lab/cluster/cluster.ts";
import { checkout } from "../lab/checkout.ts";
import { BUSYBOX } from "../lab/cluster/images.ts";
import { isTrue } from "../lab/cluster/objects.ts";
import { PRODUCT_IMAGE } from "../lab/cluster/product-image.ts";
import { claim, DATA, pod, snapshot } from "../e2e/manifests.ts";
import { Scene } from "../e2e/scene.ts";
import { Steps } from "./steps.ts";

/** Started in namespaces of its own, with the image's archive: the chart on a real Kubernetes, and the objects that one sees there. */
const [image = ""] = process.argv.slice(2);
const keep = process.argv.includes("--keep");
const steps = new Steps(process.stdout);

const VALUES = {
  image: PRODUCT_IMAGE,
  controller: { replicas: 1 },
  pools: { demo: { default: true, backing: { loop: { directory: "/var/lib/dmthin/demo", dataSize: "4Gi" } } } },
};

async function run(scene: Scene): Promise<void> {
  const { cluster } = scene;
  const show = async (what: string) => process.stdout.write(`\n$ kubectl get ${what}\n${await cluster.kubectl(["get", what])}`);
  steps.heading("The chart");
  await steps.step("the snapshot API and its controller", () => cluster.installSnapshots());
  await steps.step("helm install dmthin charts/dmthin", () =>
    cluster.helm(
      ["install", "dmthin", join(checkout, "charts/dmthin"), "--namespace", "dmthin", "--create-namespace", "--values", "-", "--wait"],
      JSON.stringify(VALUES),
    ),
  );
  await steps.step("a thin pool on each node", () =>
    scene.until("thinpool", "ready on each node", (pools) =>
      pools.every((pool) => isTrue(pool, "Ready") && pool.status?.["readyNodes"] === cluster.nodes.length) && pools.length > 0 ? true : undefined,
    ),
  );
  await show("thinpools,nodethinpools");

  steps.heading("A claim, a snapshot, a restore");
  await steps.step("a claim, and a pod that uses it", () => scene.apply(claim("accounts", { size: "1Gi" }), pod("bank", { claims: ["accounts"] })));
  await steps.step(
    "the pod runs",
    () => scene.ready("bank"),
    (node) => `on ${node}`,
  );
  await steps.step("it writes a file and syncs it", () => scene.sh("bank", `echo 'balance: 100' > ${DATA}/accounts; sync`));
  await steps.step("a snapshot of the claim in use", async () => (await scene.apply(snapshot("before", "accounts")), await scene.snapshotReady("before")));
  await steps.step("the file is spoilt", () => scene.sh("bank", `echo 'balance: oops' > ${DATA}/accounts; sync`));
  const source = { kind: "VolumeSnapshot", name: "before" } as const;
  await steps.step("a new claim from the snapshot, and a pod that uses it", () =>
    scene.apply(claim("restored", { size: "1Gi", source }), pod("auditor", { claims: ["restored"] })),
  );
  await steps.step(
    "the pod runs: the file is as it was",
    async () => (await scene.ready("auditor"), await scene.sh("auditor", `cat ${DATA}/accounts`)),
    (text) => text.trim(),
  );
  await show("pvc,volumesnapshots");
  await show("thinpools,nodethinpools,thinvolumes,thinsnapshots");
}

await using cluster = await Cluster.start({ nodes: 2, poolDisks: [], images: [image] });
const scene = new Scene(cluster, "default");
await run(scene);
steps.summary();
if (keep) {
  process.stdout.write(`
A shell with kubectl and helm for this cluster follows; "exit" ends both. Its nodes pull no images: pods can run
${BUSYBOX.split("/").at(-1)}, as those in manifests/examples do.
`);
  const environment = { ...process.env, KUBECONFIG: cluster.controlPlane.kubeconfig, PATH: `${cluster.programFolders.join(":")}:${process.env["PATH"] ?? ""}` };
  await once(spawn("bash", { stdio: "inherit", env: environment }), "exit");
}
process.exit(0); // with all that runs in these namespaces
