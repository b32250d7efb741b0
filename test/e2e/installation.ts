import { join } from "node:path";
import { checkout } from "../lab/checkout.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { PRODUCT_IMAGE } from "../lab/cluster/product-image.ts";
import { step } from "../lab/progress.ts";

export const NAMESPACE = "dmthin";
export const CHART = join(checkout, "charts/dmthin");

/** How the chart is installed for the cases: a pool on files, one on each node's disk, and classes for each way of using them. */
export const VALUES = {
  image: PRODUCT_IMAGE,
  log: { level: "debug" },
  controller: { replicas: 2, nodeMissingFor: "20s" },
  node: {
    // A guest's disks are of a kind that no LVM has heard of.
    extraVolumes: [{ name: "lvm-local", hostPath: { path: "/etc/lvm/lvmlocal.conf", type: "File" } }],
    extraVolumeMounts: [{ name: "lvm-local", mountPath: "/etc/lvm/lvmlocal.conf", readOnly: true }],
  },
  pools: {
    files: { default: true, backing: { loop: { directory: "/var/lib/dmthin/files", dataSize: "6Gi" } } },
    strict: { overcommitRatio: 1, defaultVolumeSize: "1Gi", backing: { loop: { directory: "/var/lib/dmthin/strict", dataSize: "4Gi" } } },
    tiny: { whenFull: "error", defaultVolumeSize: "256Mi", backing: { loop: { directory: "/var/lib/dmthin/tiny", dataSize: "512Mi" } } },
    disks: { backing: { directLvm: { devices: ["/dev/ubdc"] } } },
  },
  storageClasses: [
    { name: "dmthin", default: true },
    { name: "dmthin-immediate", volumeBindingMode: "Immediate" },
    ...["ext4", "xfs", "btrfs"].map((type) => ({ name: `dmthin-${type}`, parameters: { "csi.storage.k8s.io/fstype": type } })),
    { name: "dmthin-disks", parameters: { pool: "disks" } },
    { name: "dmthin-strict", parameters: { pool: "strict" } },
    { name: "dmthin-tiny", parameters: { pool: "tiny" }, volumeBindingMode: "Immediate" },
    { name: "dmthin-options", parameters: { "csi.storage.k8s.io/fstype": "ext4", mkfsOptions: "-L labelled -m 0" }, mountOptions: ["noatime", "discard"] },
  ],
  volumeAttributesClasses: [{ name: "dmthin-discarding", parameters: { discardOnDelete: "true" } }],
};

/** Installs the chart as its users do, and waits until every node has its pools. */
export async function install(cluster: Cluster): Promise<void> {
  await step("the snapshot API and its controller", () => cluster.installSnapshots());
  await step("helm install", () =>
    cluster.helm(
      ["install", "dmthin", CHART, "--namespace", NAMESPACE, "--create-namespace", "--values", "-", "--wait", "--timeout", "5m"],
      JSON.stringify(VALUES),
    ),
  );
  await step("pools on every node", () => poolsReady(cluster));
}

/** Waits until each pool is Ready on each node, or those named. */
export async function poolsReady(cluster: Cluster, nodes: readonly string[] = cluster.nodes.map(({ name }) => name)): Promise<void> {
  const wanted = nodes.flatMap((node) => Object.keys(VALUES.pools).map((pool) => `${pool}.${node}`));
  await cluster.api.until(
    "/apis/dmthin.io/v1alpha1/nodethinpools",
    (pools) => wanted.every((name) => pools.some((pool) => pool.metadata.name === name && pool.status?.phase === "Ready")) || undefined,
    { what: `pools ${wanted.join(", ")} Ready`, seconds: 300 },
  );
}
