import { strict as assert } from "node:assert";
import type { Case } from "../case.ts";
import { NAMESPACE } from "../installation.ts";
import { claim, DRIVER, pod } from "../manifests.ts";
import type { Scene } from "../scene.ts";

/** In a class of somebody's own: the chart refuses such values by itself. */
async function wrongParameters(scene: Scene): Promise<void> {
  const storageClass = `wrong-${scene.namespace}`;
  const metadata = { name: storageClass };
  await scene.apply({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata, provisioner: DRIVER, parameters: { poool: "files" } });
  try {
    await scene.apply(claim("data", { storageClass }), pod("user", { claims: ["data"] }));
    await scene.event("PersistentVolumeClaim", "data", /poool/);
    assert.match(await scene.describe("pvc", "data"), /ProvisioningFailed.*poool/);
  } finally {
    await scene.kubectl("delete", "storageclass", storageClass);
  }
}

async function noRoom(scene: Scene): Promise<void> {
  await scene.apply(claim("data", { size: "500Gi" }), pod("user", { claims: ["data"] }));
  await scene.event("Pod", "user", /did not have enough free storage/);
  assert.match(await scene.describe("pod", "user"), /FailedScheduling.*enough free storage/);
}

const thinPool = (name: string, spec: object): object => ({ apiVersion: "dmthin.io/v1alpha1", kind: "ThinPool", metadata: { name }, spec });

async function wrongPool(scene: Scene): Promise<void> {
  const misspelt = JSON.stringify(thinPool("misspelt", { backing: { lopp: {} } }));
  assert.match(await scene.cluster.kubectlRefusal(["apply", "-f", "-"], misspelt), /lopp|backing/);
  await scene.cluster.apply([thinPool("nothing", { backing: { directLvm: { devices: ["/dev/disk/by-id/nobody-has-this"] } } })]);
  try {
    await scene.until("nodethinpool", "each node says why it has no pool", (pools) => {
      const ours = pools.filter(({ metadata }) => metadata.name.startsWith("nothing."));
      return (ours.length === scene.cluster.nodes.length && ours.every(({ status }) => /nobody-has-this/.test(String(status?.["message"])))) || undefined;
    });
    assert.match(await scene.kubectl("describe", "nodethinpool", `nothing.${scene.cluster.nodes[0]?.name ?? ""}`), /nobody-has-this/);
  } finally {
    await scene.remove("thinpool", "nothing");
  }
}

/** A node's own account, as the node's driver has it, and what it may not do. */
async function othersObjects(scene: Scene): Promise<void> {
  await scene.apply(claim("data"), pod("user", { claims: ["data"] }));
  const home = await scene.ready("user");
  const id = await scene.volumeId("data");
  const agents = JSON.parse(
    await scene.cluster.kubectl(["get", "pods", "--namespace", NAMESPACE, "--selector", "app.kubernetes.io/component=node", "-o", "json"]),
  ) as { readonly items: readonly { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: { readonly nodeName: string } }[] };
  for (const { metadata, spec } of agents.items) {
    const token = await scene.cluster.kubectl([
      "create",
      "token",
      "dmthin-node",
      "--namespace",
      NAMESPACE,
      "--bound-object-kind",
      "Pod",
      "--bound-object-name",
      metadata.name,
      "--bound-object-uid",
      metadata.uid,
    ]);
    const api = scene.cluster.api.withToken(token.trim());
    const path = `/apis/dmthin.io/v1alpha1/thinvolumes/${id}`;
    const attempts: readonly (readonly [what: string, attempt: () => Promise<unknown>])[] = [
      ["the spec", () => api.patch(path, { spec: { requiredBytes: 2 ** 30 } })],
      ["a label", () => api.patch(path, { metadata: { labels: { stolen: "yes" } } })],
      ["deletion", () => api.delete(path)],
      ["a Node", () => api.patch(`/api/v1/nodes/${home}`, { metadata: { labels: { stolen: "yes" } } })],
      ...(spec.nodeName === home ? [] : [["another node's status", () => api.patch(`${path}/status`, { status: { phase: "Failed" } })] as const]),
    ];
    for (const [what, attempt] of attempts) {
      await assert.rejects(attempt(), { status: 403 }, `${spec.nodeName} changed ${what} of ${home}'s`);
    }
    if (spec.nodeName === home) await api.patch(`${path}/status`, { status: { phase: "Ready" } }); // its own it may
  }
}

export const REFUSALS: readonly Case[] = [
  { name: "wrong class parameters, as kubectl describe shows them", run: wrongParameters },
  { name: "no room on any node, as kubectl describe shows it", run: noRoom },
  { name: "a wrong ThinPool, as kubectl describe shows it", run: wrongPool },
  { name: "a node's account and other nodes' objects", run: othersObjects },
];
