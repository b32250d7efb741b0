import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

describe(`snapshots on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(FILESYSTEMS)(
    "a snapshot of a mounted %s keeps the moment it was taken, whatever is written to its origin afterwards, and the other way round",
    async (kind) => {
      const { client, world } = suite;
      const { record: source } = await client.create("source", { kind });
      const use = await client.mount(source.id, kind);
      await world.writeFile(`${use.path}/file`, "before");
      const { record: snapshot } = await client.snapshot("moment", source.id);
      await world.writeFile(`${use.path}/file`, "after");
      const { record: restored } = await client.create("restored", { kind, origin: fromSnapshot(snapshot.id) });
      const copy = await client.mount(restored.id, kind);
      expect((await world.readFile(`${copy.path}/file`)).toString()).toBe("before");
      await world.writeFile(`${copy.path}/file`, "changed in the copy");
      await world.syncFile(`${copy.path}/file`);
      expect((await world.readFile(`${use.path}/file`)).toString()).toBe("after");
      const { record: again } = await client.create("again", { kind, origin: fromSnapshot(snapshot.id) });
      expect(await client.get(again.id, kind, "file")).toBe("before");
      await client.unmount(copy);
      await client.unmount(use);
    },
  );

  test.each(FILESYSTEMS)("what was written to a %s and not synced is in a snapshot all the same", async (kind) => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind });
    const use = await client.mount(source.id, kind);
    for (let file = 0; file < 10; file++) await world.writeFile(`${use.path}/file${file}`, `content ${file}`);
    const { record: snapshot } = await client.snapshot("moment", source.id);
    const { record: restored } = await client.create("restored", { kind, origin: fromSnapshot(snapshot.id) });
    const copy = await client.mount(restored.id, kind);
    for (let file = 0; file < 10; file++) expect((await world.readFile(`${copy.path}/file${file}`)).toString()).toBe(`content ${file}`);
  });

  test.each(FILESYSTEMS)("a snapshot of a restored snapshot of a %s, five deep, has all that was written on the way", async (kind) => {
    const { client, world } = suite;
    let { record: volume } = await client.create("volume0", { kind });
    for (let depth = 1; depth <= 5; depth++) {
      const use = await client.mount(volume.id, kind);
      await world.writeFile(`${use.path}/file${depth}`, `written at ${depth}`);
      const { record: snapshot } = await client.snapshot(`snapshot${depth}`, volume.id);
      await client.unmount(use);
      ({ record: volume } = await client.create(`volume${depth}`, { kind, origin: fromSnapshot(snapshot.id) }));
    }
    const use = await client.mount(volume.id, kind);
    for (let depth = 1; depth <= 5; depth++) expect((await world.readFile(`${use.path}/file${depth}`)).toString()).toBe(`written at ${depth}`);
  });

  test("a snapshot of a volume that nobody uses, or never used, restores to one just like it", async () => {
    const { client } = suite;
    const { record: never } = await client.create("never");
    const { record: once } = await client.create("once");
    await client.put(once.id, "ext4", "file", "content");
    const { record: ofNever } = await client.snapshot("of never", never.id);
    const { record: ofOnce } = await client.snapshot("of once", once.id);
    const { record: fresh } = await client.create("fresh", { origin: fromSnapshot(ofNever.id) });
    await client.put(fresh.id, "ext4", "file", "formatted here first");
    const { record: copy } = await client.create("copy", { origin: fromSnapshot(ofOnce.id) });
    expect(await client.get(copy.id, "ext4", "file")).toBe("content");
    expect(await client.get(fresh.id, "ext4", "file")).toBe("formatted here first");
  });

  test("a snapshot of a block volume has its bytes", async () => {
    const { client, world } = suite;
    const { record } = await client.create("source", { kind: "block" });
    const use = await client.mount(record.id, "block");
    await world.writeBlock(use.path, 4096, Buffer.alloc(4096, 1));
    const { record: snapshot } = await client.snapshot("moment", record.id);
    await world.writeBlock(use.path, 4096, Buffer.alloc(4096, 2));
    const { record: restored } = await client.create("restored", { kind: "block", origin: fromSnapshot(snapshot.id) });
    const copy = await client.mount(restored.id, "block");
    expect((await world.readBlock(copy.path, 4096, 4096)).equals(Buffer.alloc(4096, 1))).toBe(true);
    expect((await world.readBlock(use.path, 4096, 4096)).equals(Buffer.alloc(4096, 2))).toBe(true);
  });

  test("a snapshot asked for ten times is one; its name for another volume is refused", async () => {
    const { client, world } = suite;
    const [{ record: one }, { record: two }] = [await client.create("one"), await client.create("two")];
    for (let again = 0; again < 10; again++) await client.snapshot("moment", one.id);
    expect(await world.thins()).toHaveLength(3);
    await expectRefusal(client.snapshot("moment", two.id), "already-exists");
    await expectRefusal(client.snapshot("of nothing", "vol-aaaaaaaaaaaaaaaaaaaaaaaaaa"), "not-found");
  });

  test("snapshots survive their source, and are listed by source and by id", async () => {
    const { client, world } = suite;
    const { record: source } = await client.create("source");
    await client.put(source.id, "ext4", "file", "content");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    await client.delete(source.id);
    const page = { maxEntries: 0, startingToken: "" };
    for (const filter of [
      { snapshotId: snapshot.id, sourceVolumeId: undefined },
      { snapshotId: undefined, sourceVolumeId: source.id },
    ]) {
      const { items } = await world.volumes.listSnapshots(filter, page, call());
      expect(items.map(({ record }) => record.id)).toEqual([snapshot.id]);
    }
    const { items } = await world.volumes.listSnapshots({ snapshotId: undefined, sourceVolumeId: "vol-aaaaaaaaaaaaaaaaaaaaaaaaaa" }, page, call());
    expect(items).toEqual([]);
    const { record: restored } = await client.create("restored", { origin: fromSnapshot(snapshot.id) });
    expect(await client.get(restored.id, "ext4", "file")).toBe("content");
  });

  test("an application in the middle of writing goes on after a snapshot: nothing stays suspended", async () => {
    const { client, world } = suite;
    const { record } = await client.create("source");
    const use = await client.mount(record.id);
    await client.snapshot("moment", record.id);
    await world.writeFile(`${use.path}/file`, "after");
    await world.syncFile(`${use.path}/file`);
    for (const { uuid } of world.dm.list()) expect(world.dm.info(uuid)?.suspended).toBe(false);
  });
});
