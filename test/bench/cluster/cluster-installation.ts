import { CHART, NAMESPACE } from "../../e2e/installation.ts";
import type { Cluster } from "../../lab/cluster/cluster.ts";
import { PRODUCT_IMAGE } from "../../lab/cluster/product-image.ts";
import { step } from "../../lab/progress.ts";

export const POOL = "bench";

/** As the chart has it by default, with a pool on each node's disk and the two classes that are compared. */
const VALUES = {
  image: PRODUCT_IMAGE,
  node: {
    // A guest's disks are of a kind that no LVM has heard of.
    extraVolumes: [{ name: "lvm-local", hostPath: { path: "/etc/lvm/lvmlocal.conf", type: "File" } }],
    extraVolumeMounts: [{ name: "lvm-local", mountPath: "/etc/lvm/lvmlocal.conf", readOnly: true }],
  },
  pools: { [POOL]: { default: true, backing: { directLvm: { devices: ["/dev/ubdc"] } } } },
  storageClasses: [
    { name: "dmthin", default: true },
    { name: "dmthin-immediate", volumeBindingMode: "Immediate" },
  ],
};

export async function install(cluster: Cluster): Promise<void> {
  await step("the snapshot API and its controller", () => cluster.installSnapshots());
  await step("helm install", () =>
    cluster.helm(
      ["install", "dmthin", CHART, "--namespace", NAMESPACE, "--create-namespace", "--values", "-", "--wait", "--timeout", "5m"],
      JSON.stringify(VALUES),
    ),
  );
  await step("a pool on every node", () =>
    cluster.api.until(
      "/apis/dmthin.io/v1alpha1/nodethinpools",
      (pools) => (pools.length === cluster.nodes.length && pools.every(({ status }) => status?.phase === "Ready")) || undefined,
      { what: "pools Ready", seconds: 300 },
    ),
  );
}
