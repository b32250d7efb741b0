import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import { DmthinError, type ErrorFacts } from "../../../src/errors.ts";
import { GiB } from "../../../src/units.ts";
import { NODE } from "./fake-volumes.ts";
import { BLOCK, MOUNT, refusal, Served, SOME_VOLUME } from "./served.ts";

const STAGE = "/var/lib/stage";
let served: Served;
beforeEach(async () => void (served = await Served.start()));
afterEach(async () => served[Symbol.asyncDispose]());

const staged = async (name: string, volumeCapability: object = MOUNT): Promise<string> => {
  const volumeId = await served.volume(name);
  await served.node.NodeStageVolume({ volumeId, stagingTargetPath: STAGE, volumeCapability });
  return volumeId;
};

test("a node says its name and its topology", async () => {
  expect(await served.node.NodeGetInfo({})).toEqual({
    nodeId: NODE,
    maxVolumesPerNode: "0",
    accessibleTopology: { segments: { "topology.dmthin.io/node": NODE } },
  });
});

test("staging and publishing ten times, and all at once, is doing it once; so is taking it back", async () => {
  const volumeId = await staged("data");
  const target = served.path("target");
  const stage = async () => served.node.NodeStageVolume({ volumeId, stagingTargetPath: `${STAGE}/`, volumeCapability: MOUNT });
  const publish = async () => served.node.NodePublishVolume({ volumeId, stagingTargetPath: STAGE, targetPath: target, volumeCapability: MOUNT });
  for (let count = 0; count < 10; count++) await stage();
  for (let count = 0; count < 10; count++) await publish();
  await Promise.all([...Array.from({ length: 10 }, stage), ...Array.from({ length: 10 }, publish)]);
  expect(existsSync(target)).toBe(true);
  for (let count = 0; count < 3; count++) await served.node.NodeUnpublishVolume({ volumeId, targetPath: target });
  expect(existsSync(target)).toBe(false);
  for (let count = 0; count < 3; count++) await served.node.NodeUnstageVolume({ volumeId, stagingTargetPath: STAGE });
  for (const id of [SOME_VOLUME, "somebody's"]) {
    expect(await refusal(served.node.NodeUnstageVolume({ volumeId: id, stagingTargetPath: STAGE }))).toBe("OK");
    expect(await refusal(served.node.NodeUnpublishVolume({ volumeId: id, targetPath: target }))).toBe("OK");
  }
});

test("what a request lacks is named, all of it", async () => {
  expect(await refusal(served.node.NodeStageVolume({}))).toBe(
    "INVALID_ARGUMENT: volume_id is missing; staging_target_path is missing; volume_capability is missing",
  );
  expect(await refusal(served.node.NodePublishVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing; target_path is missing; volume_capability is missing");
  expect(await refusal(served.node.NodeUnstageVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing; staging_target_path is missing");
  expect(await refusal(served.node.NodeUnpublishVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing; target_path is missing");
  expect(await refusal(served.node.NodeGetVolumeStats({}))).toBe("INVALID_ARGUMENT: volume_id is missing; volume_path is missing");
  expect(await refusal(served.node.NodeExpandVolume({}))).toBe("INVALID_ARGUMENT: volume_id is missing; volume_path is missing");
});

test.each(["stage", "/var/../etc", "/a\0b", `/${"x".repeat(4096)}`])("nothing is ever mounted at %j", async (stagingTargetPath) => {
  const volumeId = await served.volume("data");
  expect(await refusal(served.node.NodeStageVolume({ volumeId, stagingTargetPath, volumeCapability: MOUNT }))).toMatch(
    /^INVALID_ARGUMENT: staging_target_path /,
  );
  expect(served.fake.volumes.get(volumeId)?.staging).toBeUndefined();
});

test("a volume that is not there is NOT_FOUND to stage, to look at and to grow", async () => {
  for (const volumeId of [SOME_VOLUME, "somebody's"]) {
    expect(await refusal(served.node.NodeStageVolume({ volumeId, stagingTargetPath: STAGE, volumeCapability: MOUNT }))).toMatch(/^NOT_FOUND/);
    expect(await refusal(served.node.NodeGetVolumeStats({ volumeId, volumePath: "some/path" }))).toMatch(/^NOT_FOUND/);
    expect(await refusal(served.node.NodeExpandVolume({ volumeId, volumePath: "some/path" }))).toMatch(/^NOT_FOUND/);
  }
  const volumeId = await staged("data");
  expect(await refusal(served.node.NodeGetVolumeStats({ volumeId, volumePath: "some/path" }))).toMatch(/^NOT_FOUND/);
});

test("publishing needs the staging path, and what is read-only stays so", async () => {
  const volumeId = await staged("data");
  const publish = async (request: object) =>
    served.node.NodePublishVolume({ volumeId, targetPath: served.path("target"), volumeCapability: MOUNT, ...request });
  expect(await refusal(publish({}))).toMatch(/^FAILED_PRECONDITION: .*staging_target_path is missing/);
  await publish({ stagingTargetPath: STAGE, readonly: true });
  expect(await refusal(publish({ stagingTargetPath: STAGE }))).toMatch(/^ALREADY_EXISTS/);
  const reader = { ...MOUNT, accessMode: { mode: "SINGLE_NODE_READER_ONLY" as const } };
  await served.node.NodePublishVolume({ volumeId, targetPath: served.path("reader"), stagingTargetPath: STAGE, volumeCapability: reader });
  expect(served.fake.volumes.get(volumeId)?.publications.map(({ readOnly }) => readOnly)).toEqual([true, true]);
});

test("a single writer is published once", async () => {
  const writer = { ...MOUNT, accessMode: { mode: "SINGLE_NODE_SINGLE_WRITER" as const } };
  const volumeId = await staged("data", writer);
  const publish = async (name: string) =>
    served.node.NodePublishVolume({ volumeId, targetPath: served.path(name), stagingTargetPath: STAGE, volumeCapability: writer });
  await publish("one");
  expect(await refusal(publish("two"))).toMatch(/^FAILED_PRECONDITION: .*has a single writer/);
});

test("statistics tell bytes and inodes of a filesystem, the size of a block volume, and the condition", async () => {
  const volumeId = await staged("data");
  const { usage, volumeCondition } = await served.node.NodeGetVolumeStats({ volumeId, volumePath: STAGE });
  expect(usage.map(({ unit, total }) => [unit, total])).toEqual([
    ["BYTES", String(GiB)],
    ["INODES", "100"],
  ]);
  expect(volumeCondition).toEqual({ abnormal: false, message: "the pool is well" });

  const { volume } = await served.controller.CreateVolume({ name: "raw", capacityRange: { requiredBytes: String(GiB) }, volumeCapabilities: [BLOCK] });
  const raw = { volumeId: volume?.volumeId ?? "", stagingTargetPath: `${STAGE}2`, volumeCapability: BLOCK };
  await served.node.NodeStageVolume(raw);
  expect((await served.node.NodeGetVolumeStats({ volumeId: raw.volumeId, volumePath: `${STAGE}2` })).usage).toMatchObject([
    { unit: "BYTES", total: String(GiB) },
  ]);
});

test("growing on the node needs neither capability nor range, and says when the device is too small", async () => {
  const volumeId = await staged("data");
  expect(await served.node.NodeExpandVolume({ volumeId, volumePath: STAGE })).toEqual({ capacityBytes: String(GiB) });
  const more = { volumeId, volumePath: STAGE, capacityRange: { requiredBytes: String(2 * GiB) } };
  expect(await refusal(served.node.NodeExpandVolume(more))).toMatch(/^OUT_OF_RANGE: .*call ControllerExpandVolume first/);
});

const failures: readonly (readonly [ErrorFacts, string])[] = [
  [{ code: "in-progress", kind: "volume", id: "v", operation: "stage" }, "ABORTED"],
  [{ code: "being-deleted", kind: "volume", id: "v" }, "ABORTED"],
  [{ code: "deadline", operation: "stage" }, "DEADLINE_EXCEEDED"],
  [{ code: "pool-stuck", pool: "p", operation: "stage", forSeconds: 9 }, "DEADLINE_EXCEEDED"],
  [{ code: "pool-not-ready", pool: "p", reason: "it recovers" }, "UNAVAILABLE"],
  [{ code: "foreign-content", id: "v", expected: "ext4", found: "xfs" }, "FAILED_PRECONDITION"],
  [{ code: "kernel-failed", operation: "suspend", subject: "v", errno: "EIO" }, "INTERNAL"],
  [{ code: "program-failed", argv: ["mkfs"], exitCode: undefined, signal: "SIGKILL", stderr: "", timedOut: true, aborted: false }, "DEADLINE_EXCEEDED"],
  [{ code: "program-failed", argv: ["mkfs"], exitCode: undefined, signal: "SIGTERM", stderr: "", timedOut: false, aborted: true }, "ABORTED"],
  [{ code: "program-failed", argv: ["mkfs"], exitCode: 1, signal: undefined, stderr: "no", timedOut: false, aborted: false }, "INTERNAL"],
];
test.each(failures)("staging that meets %j is %s to its caller, with the sentence", async (facts, code) => {
  const volumeId = await served.volume("data");
  const error = new DmthinError(facts);
  served.fake.obstacle = async () => {
    throw error;
  };
  const answer = await refusal(served.node.NodeStageVolume({ volumeId, stagingTargetPath: STAGE, volumeCapability: MOUNT }));
  expect(answer).toBe(`${code}: ${error.message}`);
});
