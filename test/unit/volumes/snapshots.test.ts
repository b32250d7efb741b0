import { describe, expect, test } from "@jest/globals";
import { groupId, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { call } from "../../contract/volumes/client.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();
const all = { maxEntries: 0, startingToken: "" };
const any = { snapshotId: undefined, sourceVolumeId: undefined };
const group = async (name: string, sourceVolumeIds: readonly string[]) => node.world.volumes.createGroup({ name, sourceVolumeIds }, call());
const deleteSnapshot = async (id: string) => node.world.volumes.deleteSnapshot(id, call());

async function volumes(...names: readonly string[]): Promise<readonly string[]> {
  const made = await Promise.all(names.map(async (name) => node.client.create(name)));
  return made.map(({ record }) => record.id);
}

describe("a snapshot", () => {
  test("asked for again is the same; of another source under that name it is refused", async () => {
    const [a = "", b = ""] = await volumes("a", "b");
    const first = await node.client.snapshot("s", a);
    expect(await node.client.snapshot("s", a)).toEqual(first);
    await expectRefusal(node.client.snapshot("s", b), "already-exists", { difference: expect.stringContaining(a) });
  });

  test("of a volume that is not there is refused", async () => {
    await expectRefusal(node.client.snapshot("s", volumeId("none")), "not-found", { kind: "volume" });
    await expectRefusal(node.client.snapshot("s", ""), "not-found");
  });

  test("is found by its id and by its source, until it is deleted", async () => {
    const [a = "", b = ""] = await volumes("a", "b");
    const { record } = await node.client.snapshot("s", a);
    await node.client.snapshot("t", b);
    const list = async (filter: Partial<typeof any> | { readonly snapshotId: string }) =>
      (await node.world.volumes.listSnapshots({ ...any, ...filter }, all)).items.map((item) => item.record.name);
    expect((await list({})).toSorted()).toEqual(["s", "t"]);
    expect(await list({ snapshotId: record.id })).toEqual(["s"]);
    expect((await node.world.volumes.listSnapshots({ ...any, sourceVolumeId: b }, all)).items.map((item) => item.record.name)).toEqual(["t"]);
    expect(await list({ snapshotId: "none" })).toEqual([]);
    await deleteSnapshot(record.id);
    await deleteSnapshot(record.id);
    expect(await list({})).toEqual(["t"]);
    await expectRefusal(node.world.volumes.getSnapshot(record.id), "not-found");
  });

  test("is not deleted by the id of a volume, nor a volume by a snapshot's", async () => {
    const [a = ""] = await volumes("a");
    const { record } = await node.client.snapshot("s", a);
    await deleteSnapshot(a);
    await node.client.delete(record.id);
    expect((await node.world.volumes.get(a)).record.id).toBe(a);
    expect((await node.world.volumes.getSnapshot(record.id)).record.id).toBe(record.id);
  });
});

describe("a group", () => {
  test("has a snapshot of each source, and is the same when asked for again, in whatever order", async () => {
    const sources = await volumes("a", "b", "c");
    const made = await group("g", sources);
    expect(made.snapshots.map(({ record }) => record.sourceVolumeId)).toEqual(sources);
    expect(new Set(made.snapshots.map(({ record }) => record.groupId))).toEqual(new Set([groupId("g")]));
    expect(await group("g", sources.toReversed())).toEqual(made);
    expect(await node.world.volumes.getGroup(made.record.id, made.record.snapshotIds.toReversed())).toEqual(made);
    await expectRefusal(group("g", sources.slice(1)), "already-exists");
  });

  test("needs sources, each once, all there", async () => {
    const [a = ""] = await volumes("a");
    await expectRefusal(group("g", []), "invalid-argument");
    await expectRefusal(group("g", [a, a]), "invalid-argument");
    await expectRefusal(group("g", [a, volumeId("none")]), "not-found");
    expect((await node.world.volumes.listSnapshots(any, all)).items).toEqual([]);
  });

  test("goes with all its snapshots, which do not go alone", async () => {
    const sources = await volumes("a", "b");
    const { record } = await group("g", sources);
    const [first = "", second = ""] = record.snapshotIds;
    await expectRefusal(deleteSnapshot(first), "invalid-argument");
    await expectRefusal(node.world.volumes.deleteGroup(record.id, [first], call()), "invalid-argument");
    await expectRefusal(node.world.volumes.getGroup(record.id, [first, second, snapshotId("other")]), "invalid-argument");
    await node.world.volumes.deleteGroup(record.id, [second, first], call());
    await node.world.volumes.deleteGroup(record.id, [second, first], call());
    expect(await node.world.thins()).toHaveLength(2);
    await expectRefusal(node.world.volumes.getGroup(record.id, []), "not-found");
  });
});
