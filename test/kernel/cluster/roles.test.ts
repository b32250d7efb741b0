import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { THIN_POOL, THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { GiB, MiB } from "../../../src/units.ts";
import { eventually } from "../../harness/eventually.ts";
import { output } from "../../harness/program.ts";
import { labDisks } from "../../harness/standing.ts";
import { NODE_NAME, RolesBench } from "./roles-bench.ts";

jest.setTimeout(300_000);
const MOUNT = { mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } } as const;
const TOPOLOGY = { segments: { "topology.dmthin.io/node": NODE_NAME } };

let bench: RolesBench;
beforeEach(async () => {
  bench = new RolesBench();
  await bench.prepare({ disks: "fast" });
});
afterEach(async () => bench[Symbol.asyncDispose]());

const loop = (more: object = {}) => ({
  backing: { loop: { directory: bench.path("fast"), dataSize: "1Gi", hostReserve: "0" } },
  defaultVolumeSize: "64Mi",
  ...more,
});

async function ready(name = "fast"): Promise<void> {
  await eventually(async () => expect((await bench.nodePool(name))?.status).toMatchObject({ phase: "Ready", state: "rw" }));
}

/** Asked again as the provisioner does: the controller's watch may not have told it yet what the test has read. */
async function create(name: string, sizeBytes = 64 * MiB): Promise<string> {
  const ids: string[] = [];
  await eventually(async () => {
    const { volume } = await bench.controller.CreateVolume({
      name,
      capacityRange: { requiredBytes: String(sizeBytes) },
      volumeCapabilities: [MOUNT],
      accessibilityRequirements: { requisite: [TOPOLOGY], preferred: [TOPOLOGY] },
    });
    expect(volume?.accessibleTopology).toEqual([TOPOLOGY]);
    ids.push(volume?.volumeId ?? "");
  });
  return ids.join();
}

const staging = (): string => bench.path("stage");

async function stage(volumeId: string): Promise<void> {
  mkdirSync(staging(), { recursive: true });
  await bench.node.NodeStageVolume({ volumeId, stagingTargetPath: staging(), volumeCapability: MOUNT });
}

const unstage = async (volumeId: string): Promise<unknown> => bench.node.NodeUnstageVolume({ volumeId, stagingTargetPath: staging() });

test("a volume's whole life through both roles: made where its pool is, used, grown, copied, deleted", async () => {
  await bench.putPool("fast", loop({ nodeSelector: { matchLabels: { disks: "fast" } } }));
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  const volumeId = await create("pvc-1");
  await stage(volumeId);
  writeFileSync(`${staging()}/file`, "kept");
  await bench.controller.ControllerExpandVolume({ volumeId, capacityRange: { requiredBytes: String(128 * MiB) } });
  const grown = await bench.node.NodeExpandVolume({ volumeId, volumePath: staging(), stagingTargetPath: staging() });
  expect(grown.capacityBytes).toBe(String(128 * MiB));
  const { snapshot } = await bench.controller.CreateSnapshot({ name: "snap-1", sourceVolumeId: volumeId });
  expect(snapshot?.readyToUse).toBe(true);
  await unstage(volumeId);
  await bench.controller.DeleteVolume({ volumeId });
  await bench.controller.DeleteSnapshot({ snapshotId: snapshot?.snapshotId ?? "" });
  expect(bench.server.stored(THIN_VOLUME).size).toBe(0);
});

test("a ThinPool whose disk is misspelt keeps no pod of a volume that is gone from ending", async () => {
  await bench.putPool("fast", loop({ default: true }));
  await bench.putPool("misspelt", { backing: { directLvm: { devices: ["/dev/disk/by-id/none"] } } });
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  await eventually(async () => expect((await bench.nodePool("misspelt"))?.status).toMatchObject({ message: expect.stringContaining("by-id/none") }));
  const volumeId = await create("pvc-1");
  await stage(volumeId);
  await unstage(volumeId);
  await bench.controller.DeleteVolume({ volumeId });
  await bench.node.NodeUnpublishVolume({ volumeId, targetPath: bench.path("target") });
  await unstage(volumeId);
});

test("an option that may change is followed while volumes are mounted; what may not is refused, and said", async () => {
  await bench.putPool("fast", loop());
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  const volumeId = await create("pvc-1");
  await stage(volumeId);
  writeFileSync(`${staging()}/file`, "kept");
  await bench.putPool("fast", loop({ overcommitRatio: 2 }));
  await eventually(async () => expect((await bench.nodePool("fast"))?.status).toMatchObject({ phase: "Ready", observedGeneration: 2, state: "rw" }));
  await eventually(async () => expect((await bench.nodePool("fast"))?.status.availableBytes ?? 0).toBeLessThanOrEqual(2 * GiB));
  expect(readFileSync(`${staging()}/file`, "utf8")).toBe("kept");
  await bench.node.NodeGetVolumeStats({ volumeId, volumePath: staging() });
  await bench.putPool("fast", loop({ overcommitRatio: 2, zeroNewBlocks: false }));
  await eventually(async () => {
    const { status } = (await bench.nodePool("fast")) ?? {};
    expect(status).toMatchObject({
      phase: "Ready",
      observedGeneration: 2,
      message: expect.stringContaining("spec.zeroNewBlocks is false, and the pool was made with true"),
    });
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: "DescriptionAccepted", status: "False" }));
  });
  await unstage(volumeId);
});

test("without the API server a node starts with what it had: volumes are staged, and nothing that it does not know is called absent", async () => {
  await bench.putPool("fast", loop());
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  const volumeId = await create("pvc-1");
  await bench.stop("node");
  const comeBack = bench.server.goAway();
  await bench.startNode();
  expect(await bench.node.NodeGetInfo({})).toMatchObject({ nodeId: NODE_NAME, accessibleTopology: TOPOLOGY });
  await eventually(async () => stage(volumeId));
  const unknown = { volumeId: `vol-${"a".repeat(26)}`, stagingTargetPath: bench.path("x") };
  await expect(bench.node.NodeUnstageVolume(unknown)).rejects.toMatchObject({ details: expect.stringContaining("does not know all its pools yet") });
  comeBack();
  await eventually(async () => bench.node.NodeUnstageVolume(unknown).then(() => undefined));
  await unstage(volumeId);
});

test("a deleted ThinPool waits for what its pool holds, and says so; then its disks are given back", async () => {
  await bench.putPool("fast", loop({ deletionPolicy: "Wipe" }));
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  const volumeId = await create("pvc-1");
  await bench.server.objects(THIN_POOL).delete("fast");
  await eventually(async () =>
    expect((await bench.nodePool("fast"))?.status).toMatchObject({
      phase: "Removing",
      message: expect.stringContaining("it holds 1 volume and 0 snapshots: delete them first"),
    }),
  );
  expect(existsSync(bench.path("fast/data.img"))).toBe(true);
  await bench.controller.DeleteVolume({ volumeId });
  await eventually(async () => expect(await bench.nodePool("fast")).toBeUndefined());
  expect(existsSync(bench.path("fast/data.img"))).toBe(false);
  expect(readdirSync(bench.path("state/thinpools.d"))).toEqual([]);
  await eventually(() => expect(bench.server.stored(THIN_POOL).size).toBe(0));
});

function firstMegabyte(disk: string): Buffer {
  const fd = openSync(disk, "r");
  try {
    const content = Buffer.alloc(MiB);
    expect(readSync(fd, content)).toBe(MiB);
    return content;
  } finally {
    closeSync(fd);
  }
}

test("a rebuilt node takes its pool back from its disks, with all volumes; a wipe then gives them back clean", async () => {
  const [disk = ""] = labDisks;
  await bench.putPool("fast", { backing: { directLvm: { devices: [disk] } }, defaultVolumeSize: "64Mi", deletionPolicy: "Wipe" });
  await Promise.all([bench.startNode(), bench.startController()]);
  await ready();
  const volumeId = await create("pvc-1");
  await stage(volumeId);
  writeFileSync(`${staging()}/file`, "kept");
  await unstage(volumeId);
  const { poolUUID } = (await bench.nodePool("fast"))?.status ?? {};
  await bench.stop("node");
  rmSync(bench.path("state"), { recursive: true });
  await bench.startNode();
  await eventually(async () => stage(volumeId));
  expect(readFileSync(`${staging()}/file`, "utf8")).toBe("kept");
  await eventually(async () => expect((await bench.nodePool("fast"))?.status).toMatchObject({ phase: "Ready", poolUUID, volumes: 1 }));
  await unstage(volumeId);
  await bench.controller.DeleteVolume({ volumeId });
  await bench.server.objects(THIN_POOL).delete("fast");
  await eventually(async () => expect(await bench.nodePool("fast")).toBeUndefined());
  expect(firstMegabyte(disk).every((byte) => byte === 0)).toBe(true);
});

test("a disk that holds something is refused by name, and let go as it was when the ThinPool goes", async () => {
  const [disk = ""] = labDisks;
  output("mkfs.ext4", ["-F", "-q", disk]);
  const before = firstMegabyte(disk);
  try {
    await bench.putPool("fast", { backing: { directLvm: { devices: [disk] } }, deletionPolicy: "Wipe" });
    await Promise.all([bench.startNode(), bench.startController()]);
    await eventually(async () => {
      const { status } = (await bench.nodePool("fast")) ?? {};
      expect(status).toMatchObject({ phase: "Refused", message: expect.stringContaining("ext4"), availableBytes: 0 });
      expect(status?.excludedDisks).toEqual([{ path: disk, reason: expect.stringContaining("ext4") }]);
    });
    await bench.server.objects(THIN_POOL).delete("fast");
    await eventually(async () => expect(await bench.nodePool("fast")).toBeUndefined());
    expect(firstMegabyte(disk)).toEqual(before);
  } finally {
    output("wipefs", ["--all", disk]);
  }
});

test("a ThinPool that is wrong is refused on the node's object with all its problems, and mended by mending it", async () => {
  await bench.putPool("fast", { backing: { loop: { directory: "fast", dataSize: "1Gi" } }, filesystem: "ntfs" });
  await bench.startNode();
  await eventually(async () =>
    expect((await bench.nodePool("fast"))?.status).toMatchObject({
      phase: "Refused",
      message: expect.stringMatching(/spec\.backing\.loop\.directory: .*; spec\.filesystem: /),
    }),
  );
  await bench.putPool("fast", loop({ filesystem: "ext4" }));
  await ready();
});

test("the kubelet is answered at once, with or without pools", async () => {
  const comeBack = bench.server.goAway();
  await bench.startNode();
  expect(await bench.registration.GetInfo({})).toMatchObject({ type: "CSIPlugin", name: "csi.dmthin.io", endpoint: bench.path("node.sock") });
  expect(await bench.node.NodeGetInfo({})).toMatchObject({ nodeId: NODE_NAME });
  comeBack();
  await bench.stop("node");
  expect(readdirSync(bench.path("registry"))).toEqual([]);
});
