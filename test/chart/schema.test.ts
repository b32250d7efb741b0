import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { RealApiServer, type Answer } from "./api-server.ts";
import { CHART } from "./generated.ts";
import { NAMESPACE, renderText } from "./helm.ts";
import { accepted, object, refused, volume } from "./judged.ts";
import { MANIFESTS } from "./manifests.ts";

let server: RealApiServer;

beforeAll(async () => {
  server = await RealApiServer.start();
  await server.must(["create", "namespace", NAMESPACE]);
  const definitions = server.tools.snapshotManifests.filter((file) => /_volume(group)?snapshot[a-z]*\.yaml$/.test(file));
  expect(definitions).toHaveLength(6);
  for (const file of [...definitions, join(CHART, "files/crds")]) await server.must(["apply", "-f", file]);
  await server.must(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
  await server.must(["apply", "-f", "-"], await renderText({ hooks: false }));
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

const create = async (kind: string, name: string, spec: object): Promise<Answer> => server.kubectl(["create", "-f", "-"], object(kind, name, spec));
const change = async (kind: string, name: string, patch: object, ...more: string[]): Promise<Answer> =>
  server.kubectl(["patch", kind, name, "--type=merge", "-p", JSON.stringify(patch), ...more]);

/** What turns a spec, or a part of one, into a change of one object. */
const changing =
  (kind: string, name: string, patchOf: (part: unknown) => object = (spec) => ({ spec })) =>
  async (part: unknown): Promise<Answer> =>
    change(kind, name, patchOf(part));

describe("the definitions", () => {
  test("have structural schemas, and names that nobody else has", async () => {
    const { items } = JSON.parse(await server.must(["get", "crd", "-o", "json"])) as { items: Definition[] };
    const ours = items.filter(({ spec }) => spec.group === "dmthin.io");
    expect(ours.map(({ spec }) => spec.names.kind).toSorted()).toEqual(["NodeThinPool", "ThinPool", "ThinSnapshot", "ThinSnapshotGroup", "ThinVolume"]);
    for (const { status } of ours) {
      const conditions = Object.fromEntries(status.conditions.map(({ type, status: is }) => [type, is]));
      expect(conditions).toEqual({ NamesAccepted: "True", Established: "True" });
    }
  });

  test.each([
    ["thinpool.spec.backing.directLvm.devices", "Whole disks"],
    ["thinpool.spec.autoextendThreshold", "Default: 80%."],
    ["nodethinpool.status.excludedDisks", "Disks that its pattern finds"],
    ["thinvolume.spec.requiredBytes", "At least this much"],
    ["tsnap.spec.sourceVolume", "The ThinVolume"],
    ["tsgroup", "Snapshots of several ThinVolumes"],
  ])("kubectl explain %s", async (path, says) => expect(await server.must(["explain", path])).toContain(says));

  test("are found together, and by their nodes", async () => {
    accepted(await create("NodeThinPool", "p.node1", { poolName: "p", nodeName: "node1" }));
    accepted(await create("NodeThinPool", "p.node2", { poolName: "p", nodeName: "node2" }));
    expect(await server.must(["get", "dmthin", "-o", "name"])).toContain("nodethinpool.dmthin.io/p.node1");
    expect(await server.must(["get", "ntp", "--field-selector", "spec.nodeName=node2", "-o", "name"])).toBe("nodethinpool.dmthin.io/p.node2\n");
    const [titles = "", row = ""] = (await server.must(["get", "ntp", "p.node1"])).split("\n");
    expect(titles.split(/\s+/).slice(0, 6)).toEqual(["NAME", "POOL", "NODE", "PHASE", "STATE", "STATUS"]);
    expect(titles).not.toContain("MESSAGE");
    expect(row.split(/\s+/).slice(0, 4)).toEqual(["p.node1", "p", "node1", "Pending"]);
  });
});

interface Definition {
  readonly spec: { readonly group: string; readonly names: { readonly kind: string } };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

const loop = (more: object = {}) => ({ backing: { loop: { directory: "/a", dataSize: "1Gi", ...more } } });
const disks = (devices: readonly string[], more: object = {}) => ({ backing: { directLvm: { devices, ...more } } });

describe("a ThinPool", () => {
  test.each<[string, string, object]>([
    ["a loop pool", "loop", loop()],
    ["sizes in bytes", "bytes", loop({ dataSize: 1024 ** 3 })],
    ["sizes as people write them", "words", { ...loop({ dataSize: "1.5 GiB" }), chunkSize: "128ki", defaultVolumeSize: "10Gi" }],
    ["disks", "some-disks", disks(["/dev/disk/by-id/nvme-*"], { metadataDevices: ["/dev/vdb"], thinpPercent: "90%" })],
    ["two devices", "two-devices", { backing: { devices: { data: "/dev/a", metadata: "/dev/b" } } }],
    ["one that exists", "existing", { backing: { existing: { pool: "group/pool" } } }],
    ["Docker's words", "docker", { storageOpts: ["dm.basesize=20G"] }],
    ["one share of what is free", "free", { ...loop(), minimumFree: "5%" }],
    ["two shares of what is free", "free-two", { ...loop(), minimumFree: { data: "5%", metadata: "10%" } }],
    [
      "all that may be said",
      "all",
      { ...loop(), default: false, whenFull: "error", trim: { interval: "never", atOnce: 2 }, overcommitRatio: 2.5, deletionPolicy: "Wipe" },
    ],
    ["a name of 40 characters", "a".repeat(40), loop()],
  ])("is taken with %s", async (_, name, spec) => accepted(await create("ThinPool", name, spec)));

  test.each<[string, string, object, string | RegExp]>([
    ["a long name", "a".repeat(41), loop(), "at most 40 characters"],
    ["a dot in its name", "a.b", loop(), "at most 40 characters"],
    ["no backing", "none", {}, "one of backing.loop"],
    ["an empty backing", "empty", { backing: {} }, "exactly one of loop"],
    ["two backings", "two", { backing: { ...loop().backing, existing: { pool: "a/b" } } }, "exactly one of loop"],
    ["no disks", "nodisks", disks([]), "at least 1 item"],
    ["a size that is none", "badsize", loop({ dataSize: "many" }), "spec.backing.loop.dataSize"],
    ["an ambiguous size", "ambiguous", loop({ dataSize: "10G" }), "spec.backing.loop.dataSize"],
    ["a percentage without its sign", "badpercent", { ...loop(), autoextendThreshold: "80" }, "spec.autoextendThreshold"],
    ["more free than there is", "badfree", { ...loop(), minimumFree: "120%" }, "spec.minimumFree"],
    ["a filesystem that is none", "badfs", { ...loop(), filesystem: "ntfs" }, "Unsupported value"],
    ["an option that is none", "unknown", { ...loop(), whenfull: "error" }, 'unknown field "spec.whenfull"'],
  ])("is refused with %s", async (_, name, spec, why) => refused(await create("ThinPool", name, spec), why));

  test("keeps what it was made with", async () => {
    accepted(await create("ThinPool", "kept", { ...loop({ dataSize: "2Gi" }), chunkSize: "64Ki" }));
    const to = changing("thinpool", "kept");
    refused(await to({ backing: { loop: { directory: "/b" } } }), "directory never changes");
    refused(await to({ backing: { loop: { dataSize: "1Gi" } } }), "dataSize may only grow");
    refused(await to({ backing: { loop: null, existing: { pool: "a/b" } } }), "never changes");
    refused(await to({ backing: null, storageOpts: [] }), "backing never changes");
    refused(await to({ chunkSize: "128Ki" }), "chunkSize never changes");
    refused(await to({ chunkSize: null }), "chunkSize never changes");
    refused(await to({ zeroNewBlocks: false }), "zeroNewBlocks never changes");
    accepted(await to({ backing: { loop: { dataSize: 3 * 1024 ** 3, hostReserve: "2Gi", maximumDataSize: "9Gi" } } }));
    accepted(
      await to({ autoextendThreshold: "70%", trim: { interval: "1d" }, whenFull: "queue", minimumFree: "20%", nodeSelector: { matchLabels: { a: "b" } } }),
    );
  });

  test("gets more disks, and keeps those it has", async () => {
    accepted(await create("ThinPool", "grown", disks(["/dev/a", "/dev/b"])));
    const to = changing("thinpool", "grown", (directLvm) => ({ spec: { backing: { directLvm } } }));
    accepted(await to({ devices: ["/dev/c", "/dev/b", "/dev/a"], force: true }));
    refused(await to({ devices: ["/dev/a", "/dev/c"] }), /may only get more disks.*delete the ThinPool and make it anew/);
    refused(await to({ metadataDevices: ["/dev/m"] }), "may only get more disks");
    refused(await to({ thinpPercent: "50%" }), "thinpPercent never changes");
    refused(await to({ volumeGroup: "other" }), "volumeGroup never changes");
  });

  test("keeps of Docker's words those that it was made with", async () => {
    accepted(await create("ThinPool", "words-kept", { storageOpts: ["dm.directlvm_device=/dev/a", "dm.basesize=10G"] }));
    const to = changing("thinpool", "words-kept", (storageOpts) => ({ spec: { storageOpts } }));
    accepted(await to(["dm.directlvm_device=/dev/a", "dm.basesize=20G", "dm.thinp_autoextend_threshold=70"]));
    refused(await to(["dm.directlvm_device=/dev/b", "dm.basesize=20G"]), "of storageOpts only");
  });
});

describe("a ThinVolume", () => {
  test("keeps where it is, and what it is a copy of", async () => {
    accepted(await create("ThinVolume", "vol-a", volume({ source: { kind: "snapshot", id: "snap-a" } })));
    const to = changing("thinvolume", "vol-a");
    refused(await to({ nodeName: "node2" }), "nodeName never changes");
    refused(await to({ poolName: "slow" }), "poolName never changes");
    refused(await to({ source: { id: "snap-b" } }), "source never changes");
    refused(await to({ source: null }), "source never changes");
    refused(await to({ filesystem: "xfs" }), "filesystem never changes");
    refused(await to({ limitBytes: 10 }), "limitBytes is less");
    accepted(await to({ parameters: { discardOnDelete: true, xfsNospaceMaxRetries: "auto" } }));
    accepted(await to({ parameters: { xfsNospaceMaxRetries: -1 } }));
  });

  test("does not shrink; an expansion that was not carried out is put back", async () => {
    accepted(await create("ThinVolume", "vol-b", volume()));
    const to = changing("thinvolume", "vol-b", (requiredBytes) => ({ spec: { requiredBytes } }));
    accepted(await change("thinvolume", "vol-b", { status: { phase: "Ready", sizeBytes: 1024 } }, "--subresource=status"));
    refused(await to(500), "does not shrink");
    accepted(await to(5000));
    accepted(await to(1000));
    accepted(await to(2000));
    accepted(await change("thinvolume", "vol-b", { status: { sizeBytes: 2048 } }, "--subresource=status"));
    refused(await to(1999), "does not shrink");
  });

  test("has a failure's facts as the node gave them, and no spec's field that nobody knows", async () => {
    accepted(await create("ThinVolume", "vol-c", volume()));
    const failure = { code: "pool-full", message: "no", facts: { code: "pool-full", pool: "fast", deep: { freeBytes: 1 } }, generation: 1 };
    accepted(await change("thinvolume", "vol-c", { status: { phase: "Failed", failure } }, "--subresource=status"));
    const { status } = JSON.parse(await server.must(["get", "thinvolume", "vol-c", "-o", "json"])) as { status: object };
    expect(status).toEqual({ phase: "Failed", failure });
    refused(await create("ThinVolume", "vol-d", volume({ size: 1 })), 'unknown field "spec.size"');
    refused(await create("ThinVolume", "vol-e", volume({ capabilities: [{ access: "mount", mode: "MULTI_NODE_MULTI_WRITER" }] })), "Unsupported value");
  });
});

test.each<[string, string, object, object]>([
  ["ThinSnapshot", "snap-a", { name: "s", sourceVolume: "vol-a", nodeName: "node1", poolName: "fast" }, { sourceVolume: "vol-b" }],
  ["ThinSnapshotGroup", "group-a", { name: "g", sourceVolumes: ["vol-a"], nodeName: "node1", poolName: "fast" }, { sourceVolumes: ["vol-a", "vol-b"] }],
  ["NodeThinPool", "fast.node1", { poolName: "fast", nodeName: "node1" }, { nodeName: "node2" }],
])("a %s never changes", async (kind, name, spec, other) => {
  accepted(await create(kind, name, spec));
  refused(await change(kind.toLowerCase(), name, { spec: other }), "never changes");
});

test("every manifest and example is what the API server takes", async () => {
  const files = [...(await readdir(join(MANIFESTS, "examples"))).map((name) => join(MANIFESTS, "examples", name)), join(MANIFESTS, "dmthin.yaml")];
  expect(files.length).toBeGreaterThan(10);
  await server.must(["create", "serviceaccount", "default", "-n", "default"]);
  for (const file of files) accepted(await server.kubectl(["apply", "--dry-run=server", "-f", file]));
  expect(await readFile(join(MANIFESTS, "README.md"), "utf8")).toContain("claim.yaml");
});
