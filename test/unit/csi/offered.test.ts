import { expect, test } from "@jest/globals";
import { NODE } from "./fake-volumes.ts";
import { MOUNT, PLAIN, refusal, Served, SOME_VOLUME } from "./served.ts";

const controllerTypes = async ({ controller }: Served) => (await controller.ControllerGetCapabilities({})).capabilities.map(({ rpc }) => rpc?.type);
const nodeTypes = async ({ node }: Served) => (await node.NodeGetCapabilities({})).capabilities.map(({ rpc }) => rpc?.type);

test("the driver says its name, its version, and what it offers", async () => {
  await using served = await Served.start();
  expect(await served.identity.GetPluginInfo({})).toEqual({ name: "csi.dmthin.io", vendorVersion: "1.2.3", manifest: {} });
  const { capabilities } = await served.identity.GetPluginCapabilities({});
  expect(capabilities.map(({ service, volumeExpansion }) => service?.type ?? volumeExpansion?.type)).toEqual([
    "CONTROLLER_SERVICE",
    "VOLUME_ACCESSIBILITY_CONSTRAINTS",
    "GROUP_CONTROLLER_SERVICE",
    "ONLINE",
  ]);
  expect(await controllerTypes(served)).toEqual([
    "CREATE_DELETE_VOLUME",
    "LIST_VOLUMES",
    "GET_CAPACITY",
    "CREATE_DELETE_SNAPSHOT",
    "LIST_SNAPSHOTS",
    "CLONE_VOLUME",
    "EXPAND_VOLUME",
    "VOLUME_CONDITION",
    "GET_VOLUME",
    "SINGLE_NODE_MULTI_WRITER",
    "MODIFY_VOLUME",
    "GET_SNAPSHOT",
  ]);
  expect(await nodeTypes(served)).toEqual(["STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS", "EXPAND_VOLUME", "VOLUME_CONDITION", "SINGLE_NODE_MULTI_WRITER"]);
  const { capabilities: groups } = await served.groups.GroupControllerGetCapabilities({});
  expect(groups.map(({ rpc }) => rpc?.type)).toEqual(["CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT"]);
});

test("a probe is ready when every pool serves, and only then", async () => {
  await using served = await Served.start();
  expect(await served.identity.Probe({})).toEqual({ ready: { value: true } });
  served.fake.condition = { abnormal: true, message: "pool fast is being recovered" };
  expect(await served.identity.Probe({})).toEqual({ ready: { value: false } });
});

test("what is not offered is UNIMPLEMENTED", async () => {
  await using served = await Served.start();
  expect(await refusal(served.controller.ControllerPublishVolume({ volumeId: SOME_VOLUME }))).toMatch(/^UNIMPLEMENTED/);
  expect(await refusal(served.controller.ControllerListVolumeHealth({}))).toMatch(/^UNIMPLEMENTED/);
  expect(await refusal(served.node.NodeGetStorageHealth({}))).toMatch(/^UNIMPLEMENTED/);
});

test("with the alpha capabilities the condition is told as volume health", async () => {
  await using served = await Served.start({ ...PLAIN, alpha: true });
  expect(await controllerTypes(served)).toEqual(expect.arrayContaining(["GET_VOLUME_HEALTH", "LIST_VOLUME_HEALTH"]));
  expect(await nodeTypes(served)).toEqual(expect.arrayContaining(["GET_VOLUME_HEALTH", "GET_STORAGE_HEALTH"]));
  const volumeId = await served.volume("data");
  expect((await served.controller.ControllerGetVolumeHealth({ volumeId })).volumeHealth).toEqual({ volumeId, healthStatuses: [] });
  expect((await served.node.NodeGetStorageHealth({})).backendHealth).toEqual([]);
  served.fake.condition = { abnormal: true, message: "full" };
  const healthStatuses = [{ status: "DEGRADED", reason: "PoolAbnormal", message: "full" }];
  expect((await served.node.NodeGetVolumeHealth({ volumeId })).volumeHealth).toEqual({ volumeId, healthStatuses });
  expect((await served.controller.ControllerListVolumeHealth({})).entries).toEqual([{ volumeId, healthStatuses }]);
  expect((await served.node.NodeGetStorageHealth({})).backendHealth).toMatchObject([{ status: "STORAGE_DEGRADED", message: "full" }]);
});

test("under test volumes are attached up to the limit, to this node only, and are listed as such", async () => {
  await using served = await Served.start({ ...PLAIN, attach: { limit: 1 } });
  const [one, two] = [await served.volume("one"), await served.volume("two")];
  const attach = async (volumeId: string, more: object = {}) =>
    served.controller.ControllerPublishVolume({ volumeId, nodeId: NODE, volumeCapability: MOUNT, ...more });
  expect(await refusal(attach(SOME_VOLUME))).toMatch(/^NOT_FOUND/);
  expect(await refusal(attach(one, { nodeId: "node-2" }))).toBe("NOT_FOUND: there is no node node-2");
  await attach(one);
  await attach(one);
  expect(await refusal(attach(one, { readonly: true }))).toMatch(/^ALREADY_EXISTS/);
  expect(await refusal(attach(two))).toMatch(/^OUT_OF_RANGE/);
  expect((await served.controller.ControllerGetVolume({ volumeId: one })).status?.publishedNodeIds).toEqual([NODE]);
  for (const _ of [1, 2]) await served.controller.ControllerUnpublishVolume({ volumeId: one, nodeId: NODE });
  await attach(two);
  expect((await served.node.NodeGetInfo({})).maxVolumesPerNode).toBe("1");
});
