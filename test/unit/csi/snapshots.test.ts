import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { refusal, Served, SOME_GROUP, SOME_SNAPSHOT, SOME_VOLUME } from "./served.ts";

let served: Served;
beforeEach(async () => void (served = await Served.start()));
afterEach(async () => served[Symbol.asyncDispose]());

test("a snapshot is ready at once, once, however often it is asked for", async () => {
  const sourceVolumeId = await served.volume("data");
  const ask = async () => (await served.controller.CreateSnapshot({ name: "snap", sourceVolumeId })).snapshot;
  const first = await ask();
  expect(first).toMatchObject({ sizeBytes: String(2 ** 30), sourceVolumeId, readyToUse: true, groupSnapshotId: "" });
  expect(Number(first?.creationTime?.seconds)).toBeGreaterThan(Date.now() / 1000 - 60);
  for (const again of await Promise.all([ask(), ask(), ask()])) expect(again).toEqual(first);
  const other = await served.volume("other");
  expect(await refusal(served.controller.CreateSnapshot({ name: "snap", sourceVolumeId: other }))).toMatch(/^ALREADY_EXISTS/);
});

test("what a snapshot's request lacks or does not know is named; a source that is not there is NOT_FOUND", async () => {
  expect(await refusal(served.controller.CreateSnapshot({ parameters: { pool: "fast", "csi.storage.k8s.io/volumesnapshot/name": "x" } }))).toBe(
    'INVALID_ARGUMENT: name is missing; source_volume_id is missing; parameter "pool" is not known: there are none',
  );
  for (const sourceVolumeId of [SOME_VOLUME, "somebody's"])
    expect(await refusal(served.controller.CreateSnapshot({ name: "snap", sourceVolumeId }))).toMatch(/^NOT_FOUND/);
});

test("deleting a snapshot is success when it is gone or never was", async () => {
  const sourceVolumeId = await served.volume("data");
  const { snapshot } = await served.controller.CreateSnapshot({ name: "snap", sourceVolumeId });
  const snapshotId = snapshot?.snapshotId ?? "";
  expect((await served.controller.GetSnapshot({ snapshotId })).snapshot).toEqual(snapshot);
  for (const id of [snapshotId, snapshotId, "somebody's"]) expect(await refusal(served.controller.DeleteSnapshot({ snapshotId: id }))).toBe("OK");
  expect(await refusal(served.controller.GetSnapshot({ snapshotId }))).toMatch(/^NOT_FOUND/);
  expect(await refusal(served.controller.DeleteSnapshot({}))).toBe("INVALID_ARGUMENT: snapshot_id is missing");
});

test("snapshots are listed by source, by id and in pages; what is nobody's is an empty list", async () => {
  const [one, two] = [await served.volume("one"), await served.volume("two")];
  for (const name of ["a", "b"]) await served.controller.CreateSnapshot({ name, sourceVolumeId: one });
  const { snapshot } = await served.controller.CreateSnapshot({ name: "c", sourceVolumeId: two });
  const count = async (filter: object) => (await served.controller.ListSnapshots(filter)).entries.length;
  expect(await count({})).toBe(3);
  expect(await count({ sourceVolumeId: one })).toBe(2);
  expect(await count({ snapshotId: snapshot?.snapshotId })).toBe(1);
  expect(await count({ snapshotId: SOME_SNAPSHOT })).toBe(0);
  expect(await count({ snapshotId: "somebody's" })).toBe(0);
  expect(await count({ sourceVolumeId: "somebody's" })).toBe(0);
  const first = await served.controller.ListSnapshots({ maxEntries: 2 });
  expect((await served.controller.ListSnapshots({ startingToken: first.nextToken })).entries).toHaveLength(1);
  expect(await refusal(served.controller.ListSnapshots({ startingToken: "5" }))).toMatch(/^ABORTED/);
});

test("a group is one object whose snapshots name it, and goes only with the right list", async () => {
  const sourceVolumeIds = [await served.volume("one"), await served.volume("two")];
  const ask = async () => (await served.groups.CreateVolumeGroupSnapshot({ name: "group", sourceVolumeIds })).groupSnapshot;
  const group = await ask();
  expect(await ask()).toEqual(group);
  expect(group?.snapshots.map((snapshot) => snapshot.sourceVolumeId)).toEqual(sourceVolumeIds);
  expect(group?.snapshots.every(({ groupSnapshotId }) => groupSnapshotId === group.groupSnapshotId)).toBe(true);
  const snapshotIds = group?.snapshots.map(({ snapshotId }) => snapshotId) ?? [];
  const named = { groupSnapshotId: group?.groupSnapshotId ?? "" };
  expect((await served.groups.GetVolumeGroupSnapshot({ ...named, snapshotIds: snapshotIds.toReversed() })).groupSnapshot).toEqual(group);
  expect(await refusal(served.groups.DeleteVolumeGroupSnapshot({ ...named, snapshotIds: snapshotIds.slice(1) }))).toMatch(/^INVALID_ARGUMENT/);
  for (const _ of [1, 2]) expect(await refusal(served.groups.DeleteVolumeGroupSnapshot({ ...named, snapshotIds }))).toBe("OK");
  expect((await served.controller.ListSnapshots({})).entries).toHaveLength(0);
});

test("what a group's request lacks is named; a group that is not there is NOT_FOUND, and deleted", async () => {
  expect(await refusal(served.groups.CreateVolumeGroupSnapshot({}))).toBe("INVALID_ARGUMENT: name is missing; source_volume_ids is missing");
  const twice = { name: "group", sourceVolumeIds: [SOME_VOLUME, SOME_VOLUME] };
  expect(await refusal(served.groups.CreateVolumeGroupSnapshot(twice))).toBe("INVALID_ARGUMENT: source_volume_ids names one id twice");
  expect(await refusal(served.groups.CreateVolumeGroupSnapshot({ name: "group", sourceVolumeIds: ["x"] }))).toMatch(/^NOT_FOUND/);
  expect(await refusal(served.groups.GetVolumeGroupSnapshot({}))).toBe("INVALID_ARGUMENT: group_snapshot_id is missing");
  for (const groupSnapshotId of [SOME_GROUP, "somebody's"]) {
    expect(await refusal(served.groups.GetVolumeGroupSnapshot({ groupSnapshotId }))).toMatch(/^NOT_FOUND/);
    expect(await refusal(served.groups.DeleteVolumeGroupSnapshot({ groupSnapshotId }))).toBe("OK");
  }
});
