import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, fromVolume } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

describe(`deleting on ${worldName}`, () => {
  const suite = Suite.forEachTest();
  const gone = async (count = 0): Promise<void> => {
    while ((await suite.world.thins()).length > count) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  test("a volume is deleted ten times, and its space is the pool's again", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    for (let again = 0; again < 10; again++) await client.delete(record.id);
    expect(await world.thins()).toEqual([]);
    await expectRefusal(world.volumes.get(record.id, call()), "not-found");
    expect((await client.create("one")).record.filesystem.state).toBe("none");
  });

  test("a volume in use is not deleted", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await expectRefusal(client.delete(record.id), "volume-staged");
    await world.writeFile(`${use.path}/file`, "still here");
    await client.unmount(use);
    await client.delete(record.id);
    expect(await world.thins()).toEqual([]);
  });

  test("a deleted volume that somebody still holds open is gone for its users, its name is free later, and so is its space", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.writeFile(`${use.path}/file`, "content");
    const release = world.hold(`${use.path}/file`);
    await client.unmount(use);
    await client.delete(record.id);
    await client.delete(record.id);
    expect([...(world.view.deferredDeletions ?? [])]).toEqual([[record.id, "held-open"]]);
    await expectRefusal(world.volumes.get(record.id, call()), "not-found");
    expect((await world.volumes.list({ maxEntries: 0, startingToken: "" }, call())).items).toEqual([]);
    await expectRefusal(client.create("one"), "being-deleted");
    release();
    await gone();
    expect(world.view.deferredDeletions?.size).toBe(0);
    expect((await client.create("one")).record.id).toBe(record.id);
  });

  test("a deletion that waits is carried out after a restart", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.writeFile(`${use.path}/file`, "content");
    const release = world.hold(`${use.path}/file`);
    await client.unmount(use);
    await client.delete(record.id);
    await world.stop();
    release();
    await world.start();
    await gone();
  });

  test.each(FILESYSTEMS)("an origin of %s is deleted before its snapshot and its clone, which lose nothing", async (kind) => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind });
    await client.put(source.id, kind, "file", "content");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    const { record: clone } = await client.create("clone", { kind, origin: fromVolume(source.id) });
    await client.delete(source.id);
    const { record: restored } = await client.create("restored", { kind, origin: fromSnapshot(snapshot.id) });
    await world.volumes.deleteSnapshot(snapshot.id, call());
    await world.volumes.deleteSnapshot(snapshot.id, call());
    expect(await client.get(clone.id, kind, "file")).toBe("content");
    expect(await client.get(restored.id, kind, "file")).toBe("content");
    await client.delete(clone.id);
    await client.delete(restored.id);
    expect(await world.thins()).toEqual([]);
  });

  test("a thin device that was deleted behind the driver's back does not keep its volume from being deleted", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    world.dm.message(world.poolUuid, `delete ${record.number}`);
    await client.delete(record.id);
    await expectRefusal(world.volumes.get(record.id, call()), "not-found");
  });

  test("numbers are not used again: what was deleted is never taken for what came after", async () => {
    const { client } = suite;
    const seen = new Set<number>();
    for (let round = 0; round < 5; round++) {
      const { record } = await client.create("one", { kind: "block" });
      seen.add(record.number);
      await client.delete(record.id);
    }
    expect(seen.size).toBe(5);
  });

  test("a volume that asks for it is discarded before it is deleted, and its snapshot keeps its content", async () => {
    const { client } = suite;
    const { record: source } = await client.create("source", { discardOnDelete: true });
    await client.put(source.id, "ext4", "file", "content");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    await client.delete(source.id);
    await gone(1);
    const { record: restored } = await client.create("restored", { origin: fromSnapshot(snapshot.id) });
    expect(await client.get(restored.id, "ext4", "file")).toBe("content");
  });
});
