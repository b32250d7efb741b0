import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Connection } from "../../../src/csi/client.ts";
import { createControllerServer, createNodeServer } from "../../../src/csi/csi-server.ts";
import type { GrpcServer } from "../../../src/csi/server.ts";
import { silentLogger } from "../../../src/logger.ts";
import { nodeLabel } from "../../../src/volumes/node-label.ts";
import type { Condition } from "../../../src/volumes/volumes.ts";
import { FakeVolumes } from "./fake-volumes.ts";
import { MOUNT, PLAIN, refusal, SOME_VOLUME } from "./served.ts";

let folder = "";
let health: Condition = { abnormal: false, message: "" };
const servers: GrpcServer[] = [];
const connections: Connection[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-roles-"));
  health = { abnormal: false, message: "" };
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection[Symbol.dispose]();
  for (const server of servers.splice(0)) await server.close(AbortSignal.abort());
  await rm(folder, { recursive: true });
});

async function serve(role: "node" | "controller", fake = new FakeVolumes()): Promise<Connection> {
  const common = { volumes: fake, health: () => health, logger: silentLogger, version: "1.2.3" };
  const server =
    role === "node"
      ? createNodeServer({ ...common, nodeVolumes: fake, maxVolumesPerNode: 17, options: PLAIN })
      : createControllerServer({ ...common, options: { ...PLAIN, attach: { limit: 1 } }, isNode: (name) => ["one", "two"].includes(name) });
  servers.push(server);
  await server.listen(join(folder, `${role}.sock`));
  const connection = new Connection(join(folder, `${role}.sock`));
  connections.push(connection);
  return connection;
}

test.each(["node", "controller"] as const)("the %s speaks of the whole driver: of the controller's services, and of where volumes are", async (role) => {
  const { capabilities } = await (await serve(role)).service("csi.v1.Identity").GetPluginCapabilities({});
  expect(capabilities.flatMap(({ service }) => service?.type ?? [])).toEqual([
    "CONTROLLER_SERVICE",
    "VOLUME_ACCESSIBILITY_CONSTRAINTS",
    "GROUP_CONTROLLER_SERVICE",
  ]);
});

test.each(["node", "controller"] as const)("the %s is not ready while its health is not, and answers all the same", async (role) => {
  const identity = (await serve(role)).service("csi.v1.Identity");
  health = { abnormal: true, message: "nothing is listed yet" };
  expect(await identity.Probe({})).toEqual({ ready: { value: false } });
  health = { abnormal: false, message: "" };
  expect(await identity.Probe({})).toEqual({ ready: { value: true } });
});

test("each role has its own services, and none of the other's", async () => {
  const [node, controller] = [await serve("node"), await serve("controller")];
  expect(await refusal(node.service("csi.v1.Controller").ControllerGetCapabilities({}))).toMatch(/^UNIMPLEMENTED/);
  expect(await refusal(controller.service("csi.v1.Node").NodeGetInfo({}))).toMatch(/^UNIMPLEMENTED/);
  expect(await refusal(controller.service("csi.v1.GroupController").GroupControllerGetCapabilities({}))).toBe("OK");
});

test.each([{ pool: "slow" }, { poool: "fast" }, { "csi.storage.k8s.io/fstype": "ext3" }])(
  "a scheduler is told of any room for the class %j, so that CreateVolume is asked, and says what is wrong with it",
  async (parameters) => {
    const controller = (await serve("controller")).service("csi.v1.Controller");
    const { availableCapacity, maximumVolumeSize } = await controller.GetCapacity({ parameters });
    expect([availableCapacity, maximumVolumeSize?.value]).toEqual([String(2n ** 60n), String(2n ** 60n)]);
    expect((await controller.GetCapacity({ parameters: { pool: "fast" } })).availableCapacity).not.toBe(availableCapacity);
  },
);

test("a node tells how many volumes it takes, and where it is by a label that fits", async () => {
  const fake = new FakeVolumes();
  const name = `${"a".repeat(62)}.${"b".repeat(62)}.example`;
  Object.assign(fake, { node: name });
  const info = await (await serve("node", fake)).service("csi.v1.Node").NodeGetInfo({});
  expect(info).toEqual({ nodeId: name, maxVolumesPerNode: "17", accessibleTopology: { segments: { "topology.dmthin.io/node": nodeLabel(name) } } });
});

test("a label is the node's name, or of one that is too long a label of its own", () => {
  expect(nodeLabel("node-1.example")).toBe("node-1.example");
  const long = ["x", "y"].map((end) => `${"a".repeat(80)}${end}`);
  const labels = long.map(nodeLabel);
  expect(new Set(labels).size).toBe(2);
  for (const label of labels) expect(label).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/);
  expect(labels).toEqual(long.map(nodeLabel));
});

test("for csi-sanity volumes are attached to nodes that have the driver, each with a limit of its own", async () => {
  const controller = (await serve("controller")).service("csi.v1.Controller");
  const made = async (name: string): Promise<string> => (await controller.CreateVolume({ name, volumeCapabilities: [MOUNT] })).volume?.volumeId ?? SOME_VOLUME;
  const [a, b] = [await made("a"), await made("b")];
  const attach = async (volumeId: string, nodeId: string): Promise<string> =>
    refusal(controller.ControllerPublishVolume({ volumeId, nodeId, volumeCapability: MOUNT }));
  expect(await attach(a, "three")).toMatch(/^NOT_FOUND/);
  expect(await attach(a, "one")).toBe("OK");
  expect(await attach(a, "two")).not.toBe("OK");
  expect(await attach(b, "one")).toMatch(/which is its limit/);
  expect(await attach(b, "two")).toBe("OK");
  const { entries } = await controller.ListVolumes({});
  expect(entries.map(({ status }) => status?.publishedNodeIds)).toEqual(expect.arrayContaining([["one"], ["two"]]));
});
