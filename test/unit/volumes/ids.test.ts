import { expect, test } from "@jest/globals";
import { groupId, isGroupId, isSnapshotId, isVolumeId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";

const awkward = ["a", "x".repeat(128), "../../etc", "new\nline", "with/slash", "größer 磁盘 🐘", "pvc-8a0c8d4e-6b1f-4f0e-9d59-0c6a7a1f1f0b"];

test("the same call made twice names the same object, also by another driver's life", () => {
  expect(volumeId("pvc-1")).toBe(volumeId("pvc-1"));
  expect(volumeId("")).toBe("vol-4oymiquy7qobjgx36tejs35zeq"); // SHA-256 of nothing, in RFC 4648 base 32
});

test("whatever the name is, its id is one that a device, a path and a log can bear", () => {
  for (const name of awkward) {
    expect(volumeId(name)).toMatch(/^vol-[a-z2-7]{26}$/);
    expect([isVolumeId(volumeId(name)), isSnapshotId(snapshotId(name)), isGroupId(groupId(name))]).toEqual([true, true, true]);
  }
  expect(new Set(awkward.map(volumeId)).size).toBe(awkward.length);
});

test("an id of another kind is not taken for a volume's", () => {
  for (const id of [snapshotId("a"), groupId("a"), "vol-", "vol-ABC", `${volumeId("a")}a`, `${volumeId("a")}\n`, "../vol-a"])
    expect(isVolumeId(id)).toBe(false);
});

test("each source of a group has a snapshot of its own", () => {
  expect(snapshotId(memberName("group", "vol-a"))).not.toBe(snapshotId(memberName("group", "vol-b")));
});
