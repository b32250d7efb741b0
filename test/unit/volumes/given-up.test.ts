import { expect, test } from "@jest/globals";
import { LiveView } from "../../../src/pool/worker/view.ts";
import { groupId, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { call } from "../../contract/volumes/client.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();
const [VOLUME, SNAPSHOT, GROUP] = [volumeId("late"), snapshotId("late"), groupId("late")];

function unanswered(calls: number): void {
  const { view } = node.world;
  if (!(view instanceof LiveView)) throw new Error("the view cannot be changed");
  view.unanswered = calls;
}

test.each([
  ["volume", async () => node.world.volumes.delete(VOLUME, call())],
  ["snapshot", async () => node.world.volumes.deleteSnapshot(SNAPSHOT, call())],
  ["group snapshot", async () => node.world.volumes.deleteGroup(GROUP, [], call())],
] as const)("the deletion of a %s that is not there is put off while a call goes on that was given up: it may be its creation", async (kind, remove) => {
  unanswered(1);
  await expectRefusal(remove(), "in-progress", { kind });
  unanswered(0);
  await remove();
});

test("what is there is deleted all the same", async () => {
  const { record } = await node.client.create("late");
  const { record: snapshot } = await node.client.snapshot("late", record.id);
  const { record: group, snapshots } = await node.world.volumes.createGroup({ name: "late", sourceVolumeIds: [record.id] }, call());
  unanswered(1);
  await node.world.volumes.deleteGroup(
    group.id,
    snapshots.map(({ record: { id } }) => id),
    call(),
  );
  await node.world.volumes.deleteSnapshot(snapshot.id, call());
  await node.world.volumes.delete(record.id, call());
  const ids = [...node.world.view.thins.values()].filter(({ state }) => state === "ready").map(({ id }) => id);
  expect(ids).toEqual([]);
});
