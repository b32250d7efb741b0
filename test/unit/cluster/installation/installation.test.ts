import { beforeEach, describe, expect, test } from "@jest/globals";
import { applyPools, heldByNodes, poolHealth } from "../../../../src/cluster/installation/installation.ts";
import { THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { DmthinError } from "../../../../src/errors.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";

let server: SimulatedApiServer;
beforeEach(() => {
  server = new SimulatedApiServer();
});

const spec = { backing: { loop: { directory: "/a", dataSize: "1Gi" } } };
const specOf = async (name: string) => (await server.objects(THIN_POOL).get(name))?.spec;

describe("ThinPools of a chart", () => {
  test("are made, left as they are, and changed, also by what is said no more", async () => {
    expect(await applyPools(server, { fast: { ...spec, whenFull: "error" } })).toEqual([{ name: "fast", outcome: "made" }]);
    expect(await applyPools(server, { fast: { ...spec, whenFull: "error" } })).toEqual([{ name: "fast", outcome: "as it was" }]);
    const loop = { directory: "/a", dataSize: "2Gi" };
    expect(await applyPools(server, { fast: { backing: { loop } }, slow: spec })).toEqual([
      { name: "fast", outcome: "changed" },
      { name: "slow", outcome: "made" },
    ]);
    expect(await specOf("fast")).toEqual({ backing: { loop }, deletionPolicy: "Retain" });
  });

  test("that are named no more stay", async () => {
    await applyPools(server, { fast: spec });
    await applyPools(server, {});
    expect(await specOf("fast")).toMatchObject(spec);
  });

  test("are not changed over what somebody else changes meanwhile", async () => {
    await applyPools(server, { fast: spec });
    server.beforeRequest = async ({ verb }) => {
      if (verb !== "patch") return;
      server.beforeRequest = undefined;
      await server.objects(THIN_POOL).patch("fast", { spec: { default: true } });
    };
    const change = applyPools(server, { fast: { ...spec, whenFull: "error" } });
    await expect(change).rejects.toThrow(new DmthinError({ code: "api-conflict", kind: "ThinPool", name: "fast" }));
  });
});

const placed = { nodeName: "node1", poolName: "fast" };
const volume = { ...placed, name: "pvc-1", requiredBytes: 1, capabilities: [] };

test("what nodes hold is told with who has it", async () => {
  expect(await heldByNodes(server)).toEqual([]);
  await server.objects(THIN_VOLUME).create({ metadata: { name: "vol-a" }, spec: { ...volume, claim: { namespace: "ns", name: "data" } } });
  await server.objects(THIN_VOLUME).create({ metadata: { name: "vol-b", finalizers: ["dmthin.io/node"] }, spec: volume });
  await server.objects(THIN_VOLUME).delete("vol-b");
  await server.objects(THIN_SNAPSHOT).create({ metadata: { name: "snap-a" }, spec: { ...placed, name: "s", sourceVolume: "vol-a" } });
  await server.objects(THIN_SNAPSHOT_GROUP).create({ metadata: { name: "group-a" }, spec: { ...placed, name: "g", sourceVolumes: ["vol-a"] } });
  expect(await heldByNodes(server)).toEqual([
    { kind: "ThinVolume", name: "vol-a", node: "node1", claim: "ns/data", isTerminating: false },
    { kind: "ThinVolume", name: "vol-b", node: "node1", claim: undefined, isTerminating: true },
    { kind: "ThinSnapshot", name: "snap-a", node: "node1", claim: undefined, isTerminating: false },
    { kind: "ThinSnapshotGroup", name: "group-a", node: "node1", claim: undefined, isTerminating: false },
  ]);
});

test("nodes hold nothing of a kind whose definition is gone; what cannot be asked is not nothing", async () => {
  const gone = new DmthinError({ code: "api-refused", request: "list", status: 404, reason: "the server could not find the requested resource" });
  for (const { kind } of [THIN_VOLUME, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP]) server.fail("list", kind, 1, gone);
  expect(await heldByNodes(server)).toEqual([]);
  server.fail("list", "ThinSnapshot", 1, new DmthinError({ code: "api-refused", request: "list", status: 403, reason: "no" }));
  await expect(heldByNodes(server)).rejects.toThrow(/403/);
});

const told = async (status: "True" | "False", message: string, deleting: readonly string[] = []) => {
  const condition = { reason: "Told", lastTransitionTime: new Date(0).toISOString() };
  const conditions = [
    { ...condition, type: "Ready", status, message },
    ...deleting.map((why) => ({ ...condition, type: "Deleting", status: "True", message: why })),
  ];
  await server.objects(THIN_POOL).patch("fast", { status: { conditions, observedGeneration: 1 } }, { subresource: "status" });
};

describe("a pool is well", () => {
  beforeEach(async () => applyPools(server, { fast: spec }));
  test("when the controller says so", async () => {
    await told("True", "ready on 2 nodes");
    expect(await poolHealth(server)).toEqual([{ pool: "fast", isWell: true, message: "ready on 2 nodes" }]);
    await told("False", "node node2: Refused, no disk");
    expect(await poolHealth(server)).toEqual([{ pool: "fast", isWell: false, message: "node node2: Refused, no disk" }]);
  });

  test("which says why one that is being deleted is still there", async () => {
    await told("False", "node node2: has it no more", ["waits until its nodes have closed it: node1"]);
    const message = "is being deleted, and waits until its nodes have closed it: node1; node node2: has it no more";
    expect(await poolHealth(server)).toEqual([{ pool: "fast", isWell: false, message }]);
  });

  test("and not before it has looked, nor by what it said of the pool as it was", async () => {
    const unseen = [{ pool: "fast", isWell: false, message: "the controller has not looked at it yet" }];
    expect(await poolHealth(server)).toEqual(unseen);
    await told("True", "ready on 2 nodes");
    await applyPools(server, { fast: { ...spec, whenFull: "error" } });
    expect(await poolHealth(server)).toEqual(unseen);
  });
});
