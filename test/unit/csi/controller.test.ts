import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { DmthinError } from "../../../src/errors.ts";
import { bytes, GiB } from "../../../src/units.ts";
import { NODE } from "./fake-volumes.ts";
import { BLOCK, MOUNT, refusal, Served, SOME_SNAPSHOT, SOME_VOLUME } from "./served.ts";

const ONE_GIB = String(GiB);
let served: Served;
beforeEach(async () => void (served = await Served.start()));
afterEach(async () => served[Symbol.asyncDispose]());

test("a new volume says its size, where it is, and what it was made from", async () => {
  const { volume } = await served.controller.CreateVolume({ name: "data", capacityRange: { requiredBytes: ONE_GIB }, volumeCapabilities: [MOUNT] });
  expect(volume).toMatchObject({ capacityBytes: ONE_GIB, contentSource: null, volumeContext: { pool: "fast" } });
  expect(volume?.accessibleTopology).toEqual([{ segments: { "topology.dmthin.io/node": NODE } }]);

  const contentSource = { volume: { volumeId: volume?.volumeId ?? "" } };
  const clone = await served.controller.CreateVolume({ name: "clone", volumeCapabilities: [MOUNT], volumeContentSource: contentSource });
  expect(clone.volume?.contentSource).toMatchObject(contentSource);
  expect(clone.volume?.capacityBytes).toBe(ONE_GIB);
});

test("the claim that the provisioner names is handed on; a half of it is none", async () => {
  const create = jest.spyOn(served.fake, "create");
  const ask = async (name: string, parameters: Readonly<Record<string, string>>): Promise<unknown> => {
    await served.controller.CreateVolume({ name, volumeCapabilities: [MOUNT], parameters });
    return create.mock.lastCall?.[0].claim;
  };
  const [name, namespace] = [{ "csi.storage.k8s.io/pvc/name": "data" }, { "csi.storage.k8s.io/pvc/namespace": "shop" }];
  expect(await ask("a", { ...name, ...namespace, "csi.storage.k8s.io/pv/name": "pvc-1" })).toEqual({ name: "data", namespace: "shop" });
  expect(await ask("b", name)).toBeUndefined();
  expect(await ask("c", namespace)).toBeUndefined();
  expect(await ask("d", {})).toBeUndefined();
});

test("the same volume asked for again, one after the other or at once, is one volume", async () => {
  const ask = async () => served.volume("data");
  const ids = [await ask(), await ask(), ...(await Promise.all(Array.from({ length: 20 }, ask)))];
  expect(new Set(ids).size).toBe(1);
  expect((await served.controller.ListVolumes({})).entries).toHaveLength(1);
  expect(await refusal(served.controller.CreateVolume({ name: "data", capacityRange: { requiredBytes: "1" }, volumeCapabilities: [MOUNT] }))).toMatch(
    /^ALREADY_EXISTS/,
  );
});

test.each(["/", "..", "a\nb", "Datenträger 💾", "x".repeat(128), "ä".repeat(64)])("a volume may be called %j", async (name) => {
  expect(await served.volume(name)).toMatch(/^vol-[a-z2-7]{26}$/);
  expect([...served.fake.volumes.values()][0]?.name).toBe(name);
});

test.each(["\u0000", "a\u0008", "b\u000bc", "\u007f", "\u009f"])("a name with the control character of %j, which CSI bans, is refused", async (name) => {
  const request = { name, capacityRange: { requiredBytes: "1" }, volumeCapabilities: [MOUNT] };
  expect(await refusal(served.controller.CreateVolume(request))).toMatch(/^INVALID_ARGUMENT: .*control characters/);
  expect(served.fake.volumes.size).toBe(0);
});

test("a wrong request is told everything that is wrong with it at once, and makes nothing", async () => {
  const answer = await refusal(
    served.controller.CreateVolume({
      name: "ä".repeat(65),
      capacityRange: { requiredBytes: "-1" },
      volumeCapabilities: [{ mount: { fsType: "ntfs" } }, { accessMode: { mode: "MULTI_NODE_MULTI_WRITER" } }],
      parameters: { colour: "blue", discardOnDelete: "yes", xfsNospaceMaxRetries: "-2" },
      mutableParameters: { pool: "slow" },
      volumeContentSource: {},
    }),
  );
  expect(answer).toMatch(/^INVALID_ARGUMENT: /);
  for (const part of [
    "name has 130 bytes",
    "required_bytes is -1",
    'fs_type "ntfs" is none of ext4, xfs, btrfs',
    "volume_capabilities[0] has no access_mode",
    "volume_capabilities[1] says neither mount nor block",
    "MULTI_NODE_MULTI_WRITER: a volume lives on one node",
    'parameter "colour" is not known: there are pool, csi.storage.k8s.io/fstype, mkfsOptions, discardOnDelete, xfsNospaceMaxRetries',
    'discardOnDelete is "yes": say "true" or "false"',
    'xfsNospaceMaxRetries is "-2"',
    'mutable parameter "pool" is not known',
    "names neither a snapshot nor a volume",
  ]) {
    expect(answer).toContain(part);
  }
  expect(served.fake.volumes.size).toBe(0);
});

test("what the request lacks is named", async () => {
  expect(await refusal(served.controller.CreateVolume({}))).toBe("INVALID_ARGUMENT: name is missing; volume_capabilities is missing");
  expect(await refusal(served.controller.DeleteVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing");
  expect(await refusal(served.controller.ControllerGetVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing");
  expect(await refusal(served.controller.ControllerExpandVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing; capacity_range is missing");
  expect(await refusal(served.controller.ControllerModifyVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing");
  expect(await refusal(served.controller.ValidateVolumeCapabilities({}))).toBe("INVALID_ARGUMENT: volume_id is missing; volume_capabilities is missing");
  expect(await refusal(served.controller.ListVolumes({ maxEntries: -1 }))).toMatch(/^INVALID_ARGUMENT: max_entries is -1/);
});

test.each([
  { range: { requiredBytes: "9223372036854775807" }, code: /^OUT_OF_RANGE/ },
  { range: { requiredBytes: "9223372036854775808" }, code: /^INVALID_ARGUMENT.*negative/ }, // 2^63 does not fit, and wraps
  { range: { requiredBytes: "100", limitBytes: "99" }, code: /^INVALID_ARGUMENT.*below required_bytes/ },
  { range: { requiredBytes: "1", limitBytes: "2" }, code: /^OUT_OF_RANGE/ },
  { range: {}, code: /^OK/ },
])("a size of $range is $code", async ({ range, code }) => {
  expect(await refusal(served.controller.CreateVolume({ name: "data", capacityRange: range, volumeCapabilities: [MOUNT] }))).toMatch(code);
});

test("a class's parameters reach the volume, the sidecars' pass, and mutable ones go before", async () => {
  await served.controller.CreateVolume({
    name: "data",
    volumeCapabilities: [{ mount: { mountFlags: ["noatime"] }, accessMode: { mode: "SINGLE_NODE_MULTI_WRITER" } }],
    parameters: {
      pool: "fast",
      "csi.storage.k8s.io/fstype": "xfs",
      "csi.storage.k8s.io/pvc/name": "claim",
      mkfsOptions: " -m  reflink=1\n-K ",
      discardOnDelete: "false",
      xfsNospaceMaxRetries: "-1",
    },
    mutableParameters: { discardOnDelete: "true", "csi.storage.k8s.io/other": "x" },
  });
  expect([...served.fake.volumes.values()][0]).toMatchObject({
    filesystem: { type: "xfs" },
    mkfsOptions: ["-m", "reflink=1", "-K"],
    parameters: { discardOnDelete: true, xfsNospaceMaxRetries: -1 },
    capabilities: [{ access: "mount", mountFlags: ["noatime"], mode: "SINGLE_NODE_MULTI_WRITER" }],
  });
});

test("a source that is not there is NOT_FOUND, a pool that is not there is a wrong parameter", async () => {
  const from = async (volumeContentSource: object) =>
    refusal(served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT], volumeContentSource }));
  expect(await from({ volume: { volumeId: SOME_VOLUME } })).toBe(`NOT_FOUND: there is no volume ${SOME_VOLUME}`);
  expect(await from({ snapshot: { snapshotId: SOME_SNAPSHOT } })).toBe(`NOT_FOUND: there is no snapshot ${SOME_SNAPSHOT}`);
  expect(await from({ snapshot: { snapshotId: "somebody's" } })).toBe("NOT_FOUND: there is no snapshot somebody's");
  served.fake.obstacle = async () => {
    throw new DmthinError({ code: "not-found", kind: "pool", id: "slow" });
  };
  expect(await from({ volume: { volumeId: await served.volume("x").catch(() => SOME_VOLUME) } })).toBe("INVALID_ARGUMENT: there is no pool slow");
});

test("a full pool sends a volume elsewhere, and refuses a snapshot for good", async () => {
  const id = await served.volume("data");
  served.fake.obstacle = async () => {
    throw new DmthinError({ code: "pool-low", pool: "fast", resource: "data", freeBytes: bytes(1), minimumBytes: GiB });
  };
  expect(await refusal(served.controller.CreateVolume({ name: "more", volumeCapabilities: [MOUNT] }))).toMatch(
    /^RESOURCE_EXHAUSTED: pool fast has 1 B of data space free/,
  );
  expect(await refusal(served.controller.CreateSnapshot({ name: "snap", sourceVolumeId: id }))).toMatch(/^FAILED_PRECONDITION/);
  expect(await refusal(served.controller.ControllerExpandVolume({ volumeId: id, capacityRange: { requiredBytes: ONE_GIB } }))).toMatch(/^FAILED_PRECONDITION/);
});

test("deleting is success when the volume is gone or never was, and refused while it is staged", async () => {
  const id = await served.volume("data");
  await served.node.NodeStageVolume({ volumeId: id, stagingTargetPath: "/stage", volumeCapability: MOUNT });
  expect(await refusal(served.controller.DeleteVolume({ volumeId: id }))).toBe(
    `FAILED_PRECONDITION: volume ${id} is in use on this node at /stage: unstage it first`,
  );
  await served.node.NodeUnstageVolume({ volumeId: id, stagingTargetPath: "/stage" });
  for (const volumeId of [id, id, "../../etc", "x".repeat(500)]) expect(await refusal(served.controller.DeleteVolume({ volumeId }))).toBe("OK");
  expect(await refusal(served.controller.ControllerGetVolume({ volumeId: id }))).toMatch(/^NOT_FOUND/);
  expect(await refusal(served.controller.ControllerGetVolume({ volumeId: "x".repeat(500) }))).toMatch(/^NOT_FOUND/);
});

test("volumes are listed in pages, with their condition, and a token from elsewhere is ABORTED", async () => {
  for (const name of ["a", "b", "c"]) await served.volume(name);
  served.fake.condition = { abnormal: true, message: "the pool is out of data space" };
  const first = await served.controller.ListVolumes({ maxEntries: 2 });
  const rest = await served.controller.ListVolumes({ maxEntries: 2, startingToken: first.nextToken });
  expect([first.entries.length, rest.entries.length, rest.nextToken]).toEqual([2, 1, ""]);
  expect(first.entries[0]?.status).toEqual({ publishedNodeIds: [], volumeCondition: { abnormal: true, message: "the pool is out of data space" } });
  expect(await refusal(served.controller.ListVolumes({ startingToken: "invalid-token" }))).toMatch(/^ABORTED: page token "invalid-token"/);
});

test("expanding answers the size that was asked for, and wants the node's part for a filesystem only", async () => {
  const file = await served.volume("file");
  const { volume } = await served.controller.CreateVolume({ name: "raw", volumeCapabilities: [BLOCK] });
  const expand = async (volumeId: string) => served.controller.ControllerExpandVolume({ volumeId, capacityRange: { requiredBytes: String(2 * GiB) } });
  expect(await expand(file)).toEqual({ capacityBytes: String(2 * GiB), nodeExpansionRequired: true });
  expect(await expand(file)).toEqual({ capacityBytes: String(2 * GiB), nodeExpansionRequired: true });
  expect(await expand(volume?.volumeId ?? "")).toEqual({ capacityBytes: String(2 * GiB), nodeExpansionRequired: false });
  expect(await refusal(expand(SOME_VOLUME))).toMatch(/^NOT_FOUND/);
});

test("modifying changes what is named and nothing else, or nothing at all", async () => {
  const volumeId = await served.volume("data");
  await served.controller.ControllerModifyVolume({ volumeId, mutableParameters: { xfsNospaceMaxRetries: "7" } });
  const wrong = { xfsNospaceMaxRetries: "8", pool: "slow" };
  expect(await refusal(served.controller.ControllerModifyVolume({ volumeId, mutableParameters: wrong }))).toMatch(/^INVALID_ARGUMENT/);
  expect(served.fake.volumes.get(volumeId)?.parameters).toEqual({ discardOnDelete: false, xfsNospaceMaxRetries: 7 });
});

test("a capability is confirmed when it holds, and refused with the reason when it does not", async () => {
  const volumeId = await served.volume("data");
  const validate = async (volumeCapability: object, parameters: Record<string, string> = {}) =>
    served.controller.ValidateVolumeCapabilities({ volumeId, volumeCapabilities: [volumeCapability], parameters });
  expect((await validate(MOUNT, { pool: "fast" })).confirmed).toMatchObject({ parameters: { pool: "fast" }, volumeCapabilities: [MOUNT] });
  const anywhere = await validate({ ...MOUNT, accessMode: { mode: "MULTI_NODE_READER_ONLY" } });
  expect(anywhere).toMatchObject({ confirmed: null, message: expect.stringContaining("a volume lives on one node") });
  expect(await validate(BLOCK)).toMatchObject({ confirmed: null, message: expect.stringContaining("was not made for access by block") });
  expect(await validate({ ...MOUNT, mount: { fsType: "xfs" } })).toMatchObject({ confirmed: null, message: expect.stringContaining("has ext4, not xfs") });
  expect(await validate(MOUNT, { pool: "slow" })).toMatchObject({ confirmed: null, message: expect.stringContaining("is in pool fast, not slow") });
});

test("capacity is asked with a class's raw parameters, and is none where no volume could be", async () => {
  const raw = { parameters: { "csi.storage.k8s.io/fstype": "xfs", "csi.storage.k8s.io/provisioner-secret-name": "s", pool: "fast" } };
  const here = { accessibleTopology: { segments: { "topology.dmthin.io/node": NODE } } };
  const { availableCapacity, maximumVolumeSize, minimumVolumeSize } = await served.controller.GetCapacity({ ...raw, ...here });
  expect([availableCapacity, maximumVolumeSize?.value, minimumVolumeSize?.value]).toEqual([String(100 * GiB), String(100 * GiB), "65536"]);
  for (const elsewhere of [
    { accessibleTopology: { segments: { "topology.dmthin.io/node": "node-2" } } },
    { accessibleTopology: { segments: { "topology.other.io/zone": "z" } } },
    { volumeCapabilities: [{ block: {}, accessMode: { mode: "MULTI_NODE_MULTI_WRITER" as const } }] },
  ]) {
    expect((await served.controller.GetCapacity({ ...raw, ...elsewhere })).availableCapacity).toBe("0");
  }
  expect(await refusal(served.controller.GetCapacity({ parameters: { pool: "slow" } }))).toMatch(/^INVALID_ARGUMENT/);
});

const requiring = async (requisite: readonly { readonly segments: Record<string, string> }[]) =>
  refusal(served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT], accessibilityRequirements: { requisite, preferred: requisite } }));

test("a topology requirement that never names our key cannot be met", async () => {
  expect(await requiring([{ segments: { zone: "a" } }])).toMatch(/^INVALID_ARGUMENT: .*topology.dmthin.io\/node/);
  expect(await requiring([{ segments: { zone: "a" } }, { segments: { "topology.dmthin.io/node": NODE } }])).toBe("OK");
});
