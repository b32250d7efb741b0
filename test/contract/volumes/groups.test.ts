import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";
import { Writer } from "./writer.ts";

describe(`group snapshots on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(FILESYSTEMS)("a group of two written %s volumes is one moment of both", async (kind) => {
    const { client, world } = suite;
    const ids = [(await client.create("first", { kind })).record.id, (await client.create("second", { kind })).record.id];
    const uses = [];
    for (const id of ids) uses.push(await client.mount(id, kind));
    await using writer = new Writer(
      world,
      uses.map(({ path }) => `${path}/count`),
    );
    await writer.reached(2);
    const group = await world.volumes.createGroup({ name: "group", sourceVolumeIds: ids }, call());
    await writer.stop();
    expect(group.snapshots.map(({ record }) => record.sourceVolumeId)).toEqual(ids);
    const counts: number[] = [];
    for (const { record } of group.snapshots) {
      const { record: restored } = await client.create(`restored ${record.id}`, { kind, origin: fromSnapshot(record.id) });
      counts.push(Number(await client.get(restored.id, kind, "count")));
    }
    const [first = 0, second = 0] = counts;
    expect(first).toBeGreaterThan(0);
    expect([second, second + 1]).toContain(first);
  });

  test("a group asked for ten times is one; for other volumes its name is refused", async () => {
    const { client, world } = suite;
    const ids = [(await client.create("one")).record.id, (await client.create("two")).record.id];
    const group = await world.volumes.createGroup({ name: "group", sourceVolumeIds: ids }, call());
    for (let again = 1; again < 10; again++) {
      const same = await world.volumes.createGroup({ name: "group", sourceVolumeIds: ids }, call());
      expect(same.record).toEqual(group.record);
    }
    expect(await world.thins()).toHaveLength(4);
    await expectRefusal(world.volumes.createGroup({ name: "group", sourceVolumeIds: ids.slice(1) }, call()), "already-exists");
  });

  test("a group with a volume that is not there makes no snapshot at all", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const sourceVolumeIds = [record.id, "vol-aaaaaaaaaaaaaaaaaaaaaaaaaa"];
    await expectRefusal(world.volumes.createGroup({ name: "group", sourceVolumeIds }, call()), "not-found");
    expect(await world.thins()).toHaveLength(1);
  });

  test("a group is asked for and deleted by exactly its own snapshots, and goes with all of them", async () => {
    const { client, world } = suite;
    const ids = [(await client.create("one")).record.id, (await client.create("two")).record.id];
    const { record: group } = await world.volumes.createGroup({ name: "group", sourceVolumeIds: ids }, call());
    expect((await world.volumes.getGroup(group.id, group.snapshotIds, call())).record).toEqual(group);
    await expectRefusal(world.volumes.getGroup(group.id, group.snapshotIds.slice(1), call()), "invalid-argument");
    await expectRefusal(world.volumes.deleteGroup(group.id, group.snapshotIds.slice(1), call()), "invalid-argument");
    await expectRefusal(world.volumes.deleteSnapshot(group.snapshotIds[0] ?? "", call()), "invalid-argument");
    await world.volumes.deleteGroup(group.id, group.snapshotIds, call());
    await world.volumes.deleteGroup(group.id, group.snapshotIds, call());
    expect(await world.thins()).toHaveLength(2);
    await expectRefusal(world.volumes.getGroup(group.id, group.snapshotIds, call()), "not-found");
  });

  test("a group survives a restart and its sources", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    const { record: group } = await world.volumes.createGroup({ name: "group", sourceVolumeIds: [record.id] }, call());
    await client.delete(record.id);
    await world.stop();
    await world.start();
    const found = await world.volumes.getGroup(group.id, group.snapshotIds, call());
    const { record: restored } = await suite.client.create("restored", { origin: fromSnapshot(found.snapshots[0]?.record.id ?? "") });
    expect(await suite.client.get(restored.id, "ext4", "file")).toBe("content");
  });
});
