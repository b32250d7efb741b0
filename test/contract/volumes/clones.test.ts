import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, fromVolume, SIZE } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";
import { Writer } from "./writer.ts";

describe(`clones and restores on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(FILESYSTEMS)("several clones of a %s are mounted beside their mounted origin, and none sees what another writes", async (kind) => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind });
    const uses = [await client.mount(source.id, kind)];
    await world.writeFile(`${uses[0]?.path}/file`, "original");
    for (const name of ["one", "two"]) {
      const { record } = await client.create(name, { kind, origin: fromVolume(source.id) });
      uses.push(await client.mount(record.id, kind));
    }
    for (const { path } of uses) expect((await world.readFile(`${path}/file`)).toString()).toBe("original");
    for (const { id, path } of uses) {
      await world.writeFile(`${path}/file`, id);
      await world.syncFile(`${path}/file`);
    }
    for (const use of uses) {
      expect((await world.readFile(`${use.path}/file`)).toString()).toBe(use.id);
      await client.unmount(use);
    }
    for (const { id } of uses) expect(await client.get(id, kind, "file")).toBe(id);
  });

  test.each(FILESYSTEMS)("a clone of a %s that is being written is one moment of it, and can be mounted", async (kind) => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind });
    const use = await client.mount(source.id, kind);
    await using writer = new Writer(world, [`${use.path}/first`, `${use.path}/second`]);
    await writer.reached(2);
    for (const name of ["one", "two", "three"]) {
      const { record } = await client.create(name, { kind, origin: fromVolume(source.id) });
      const [first, second] = [Number(await client.get(record.id, kind, "first")), Number(await client.get(record.id, kind, "second"))];
      expect(first).toBeGreaterThan(0);
      expect([second, second + 1]).toContain(first);
    }
    await writer.stop();
    await client.unmount(use);
  });

  test.each(FILESYSTEMS)("a larger restore of a %s has its content, and all of the room that was asked for", async (kind) => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind });
    await client.put(source.id, kind, "file", "content");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    const { record: restored } = await client.create("restored", { kind, size: 2 * SIZE, origin: fromSnapshot(snapshot.id) });
    const use = await client.mount(restored.id, kind);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
    const { usage, sizeBytes } = await world.volumes.stats(restored.id, use.path, call());
    expect(sizeBytes).toBe(2 * SIZE);
    expect(usage?.totalBytes).toBeGreaterThan(1.5 * SIZE);
    await client.unmount(use);
    const { record: clone } = await client.create("clone of restored", { kind, size: 3 * SIZE, origin: fromVolume(restored.id) });
    const second = await client.mount(clone.id, kind);
    expect((await world.volumes.stats(clone.id, second.path, call())).usage?.totalBytes).toBeGreaterThan(2.5 * SIZE);
  });

  test("a clone costs no space until it is written", async () => {
    const { client, world } = suite;
    const { record: source } = await client.create("source", { kind: "block" });
    const use = await client.mount(source.id, "block");
    await world.writeBlock(use.path, 0, Buffer.alloc(4 * 1024 ** 2, 1));
    await client.create("clone", { kind: "block", origin: fromVolume(source.id) });
    const thins = await world.thins();
    expect(thins.map(({ mappedChunks, exclusiveChunks }) => [mappedChunks, exclusiveChunks])).toEqual([
      [64, 0],
      [64, 0],
    ]);
  });

  test("a copy is what its source is: no other filesystem, no block device of a filesystem, no filesystem of a block device", async () => {
    const { client } = suite;
    const [{ record: ext4 }, { record: block }] = [await client.create("ext4"), await client.create("block", { kind: "block" })];
    await expectRefusal(client.create("copy", { kind: "xfs", origin: fromVolume(ext4.id) }), "invalid-argument");
    await expectRefusal(client.create("copy", { kind: "block", origin: fromVolume(ext4.id) }), "invalid-argument");
    await expectRefusal(client.create("copy", { kind: "ext4", origin: fromVolume(block.id) }), "invalid-argument");
    await expectRefusal(client.create("copy", { origin: fromSnapshot("snap-aaaaaaaaaaaaaaaaaaaaaaaaaa") }), "not-found");
    await expectRefusal(client.create("copy", { origin: fromVolume("vol-aaaaaaaaaaaaaaaaaaaaaaaaaa") }), "not-found");
  });

  test("a volume whose name is taken by a copy of another source is refused", async () => {
    const { client } = suite;
    const [{ record: one }, { record: two }] = [await client.create("one"), await client.create("two")];
    const { record: copy } = await client.create("copy", { origin: fromVolume(one.id) });
    expect((await client.create("copy", { origin: fromVolume(one.id) })).record.id).toBe(copy.id);
    await expectRefusal(client.create("copy", { origin: fromVolume(two.id) }), "already-exists");
    await expectRefusal(client.create("copy"), "already-exists");
  });
});
