import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ended, type Ended } from "../harness/program.ts";
import { checkout, nodeBinary } from "../lab/checkout.ts";
import { RealApiServer } from "./api-server.ts";
import { CHART } from "./generated.ts";
import { helm, NAMESPACE } from "./helm.ts";

let server: RealApiServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-install-"));
  server = await RealApiServer.start();
  await writeFile(join(folder, "admin"), server.kubeconfig());
}, 120_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Jobs need more of a cluster than an API server: what they run is run here, by their own account. */
const release = async (...args: readonly string[]): Promise<string> =>
  helm(...args, "--kubeconfig", join(folder, "admin"), "--namespace", NAMESPACE, "--no-hooks");

async function asJob(...args: readonly string[]): Promise<Ended> {
  const token = (await server.must(["create", "token", "dmthin-jobs", "--namespace", NAMESPACE])).trim();
  const kubeconfig = join(folder, "job");
  await writeFile(kubeconfig, server.kubeconfig(token));
  const main = [nodeBinary, "--disable-warning=ExperimentalWarning", join(checkout, "src/main.ts"), "cluster", ...args, "--kubeconfig", kubeconfig];
  return ended(main[0] ?? "", main.slice(1));
}

const names = async (kind: string): Promise<readonly string[]> => (await server.must(["get", kind, "-o", "name"])).split("\n").filter((name) => name !== "");

async function applied(pools: object): Promise<Ended> {
  const file = join(folder, "pools.json");
  await writeFile(file, JSON.stringify(pools));
  return asJob("apply-pools", file);
}

/** As an earlier version may have been: less in a definition, another configuration. */
async function earlierChart(): Promise<string> {
  const chart = join(folder, "earlier");
  await cp(CHART, chart, { recursive: true });
  const edit = async (path: string, change: (text: string) => string) => {
    const before = await readFile(join(chart, path), "utf8");
    const after = change(before);
    expect(after).not.toBe(before);
    await writeFile(join(chart, path), after);
  };
  await edit("Chart.yaml", (text) => text.replace(/^version: .*$/m, "version: 0.0.9"));
  await edit("files/crds/thinvolumes.dmthin.io.yaml", (text) => text.replace(/^ *- name: Health\n(?: {12}.*\n)*/m, ""));
  await edit("templates/node/_config.tpl", (text) => text.replace(/^maxVolumesPerNode: .*\n/m, ""));
  return chart;
}

const columns = async (): Promise<string> =>
  server.must(["get", "crd", "thinvolumes.dmthin.io", "-o", "jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}"]);

test("installed, upgraded, used by its jobs and uninstalled, with definitions and pools that stay", async () => {
  const values = ["--set-json", 'pools={"fast":{"backing":{"loop":{"directory":"/srv/fast"}}}}'];
  await release("install", "dmthin", await earlierChart(), "--create-namespace", ...values);
  await server.must(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
  expect(await names("csidriver")).toEqual(["csidriver.storage.k8s.io/csi.dmthin.io"]);

  expect(await asJob("check")).toMatchObject({ status: 0, stdout: expect.stringContaining("no ThinPool yet") });
  const loop = { directory: "/srv/fast", dataSize: "20Gi" };
  expect(await applied({ fast: { backing: { loop } } })).toEqual({ status: 0, stdout: "ThinPool fast: made\n", stderr: "" });
  expect(await applied({ fast: { backing: { loop } } })).toMatchObject({ status: 0, stdout: "ThinPool fast: as it was\n" });
  expect(await applied({ fast: { backing: { loop }, whenFull: "error" } })).toMatchObject({ status: 0, stdout: "ThinPool fast: changed\n" });
  expect(await applied({ fast: { backing: { loop: { ...loop, directory: "/other" } } } })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("directory never changes"),
  });
  expect(await asJob("check")).toMatchObject({ status: 1, stdout: "ThinPool fast: the controller has not looked at it yet\n" });

  expect((await columns()).split(" ")).not.toContain("Health");
  await release("upgrade", "dmthin", CHART, ...values, "--set", "node.maxVolumesPerNode=9");
  expect(await server.must(["get", "configmap", "dmthin-node", "-n", NAMESPACE, "-o", "jsonpath={.data}"])).toContain("maxVolumesPerNode: 9");
  expect((await columns()).split(" ")).toContain("Health");
  expect(await names("thinpool")).toEqual(["thinpool.dmthin.io/fast"]);

  const spec = { name: "pvc-1", nodeName: "node1", poolName: "fast", requiredBytes: 1, capabilities: [], claim: { namespace: "ns", name: "data" } };
  await server.must(["create", "-f", "-"], JSON.stringify({ apiVersion: "dmthin.io/v1alpha1", kind: "ThinVolume", metadata: { name: "vol-a" }, spec }));
  expect(await asJob("guard")).toMatchObject({ status: 1, stderr: expect.stringContaining("ThinVolume vol-a on node node1, of claim ns/data") });
  await server.must(["delete", "thinvolume", "vol-a"]);
  expect(await asJob("guard")).toMatchObject({ status: 0 });

  await release("uninstall", "dmthin");
  expect(await names("csidriver")).toEqual([]);
  expect(await names("clusterrole")).not.toContain("clusterrole.rbac.authorization.k8s.io/dmthin-node");
  expect((await names("crd")).filter((name) => name.endsWith(".dmthin.io"))).toHaveLength(5);
  expect(await names("thinpool")).toEqual(["thinpool.dmthin.io/fast"]);

  await release("install", "dmthin", CHART);
  expect(await names("thinpool")).toEqual(["thinpool.dmthin.io/fast"]);
  await server.must(["delete", "crd", "thinvolumes.dmthin.io", "thinsnapshots.dmthin.io"]);
  expect(await asJob("guard")).toMatchObject({ status: 0 });
}, 180_000);
