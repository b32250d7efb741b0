import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, SIZE, type Use } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

const toSize = (bytes: number) => ({ requiredBytes: BigInt(bytes), limitBytes: undefined });

describe(`expansion on ${worldName}`, () => {
  const suite = Suite.forEachTest();
  const total = async ({ id, path }: Use): Promise<number> => (await suite.world.volumes.stats(id, path, call())).usage?.totalBytes ?? 0;

  test.each(FILESYSTEMS)("a mounted %s grows under its user, who loses nothing", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = await client.mount(record.id, kind);
    await world.writeFile(`${use.path}/file`, "content");
    const release = world.hold(`${use.path}/file`);
    for (let again = 0; again < 3; again++) {
      await world.volumes.expand(record.id, toSize(2 * SIZE), call());
      expect(await world.volumes.expandFilesystem(record.id, use.path, call())).toBe(2 * SIZE);
    }
    expect(await total(use)).toBeGreaterThan(1.6 * SIZE);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
    release();
    await client.unmount(use);
    expect(await client.get(record.id, kind, "file")).toBe("content");
  });

  test.each(FILESYSTEMS)("a %s that was expanded while nobody used it has the room when it is staged", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    await client.put(record.id, kind, "file", "content");
    await world.volumes.expand(record.id, toSize(2 * SIZE), call());
    const use = await client.mount(record.id, kind);
    expect(await total(use)).toBeGreaterThan(1.6 * SIZE);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
  });

  test("a block volume grows while it is open", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    const use = await client.mount(record.id, "block");
    const release = world.hold(use.path);
    await world.volumes.expand(record.id, toSize(2 * SIZE), call());
    expect(await world.volumes.expandFilesystem(record.id, use.path, call())).toBe(2 * SIZE);
    await world.writeBlock(use.path, 2 * SIZE - 4096, Buffer.alloc(4096, 1));
    release();
  });

  test.each(FILESYSTEMS)("a snapshot of a %s taken before its expansion restores at the old size, and at the new", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = await client.mount(record.id, kind);
    await world.writeFile(`${use.path}/file`, "content");
    const { record: snapshot } = await client.snapshot("moment", record.id);
    await world.volumes.expand(record.id, toSize(2 * SIZE), call());
    await world.volumes.expandFilesystem(record.id, use.path, call());
    for (const size of [SIZE, 2 * SIZE]) {
      const { record: restored } = await client.create(`restored ${size}`, { kind, size, origin: fromSnapshot(snapshot.id) });
      const copy = await client.mount(restored.id, kind);
      expect((await world.readFile(`${copy.path}/file`)).toString()).toBe("content");
      expect(await total(copy)).toBeLessThanOrEqual(size);
      expect(await total(copy)).toBeGreaterThan(0.7 * size);
    }
  });

  test("a filesystem is not grown where its volume is not", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await expectRefusal(world.volumes.expandFilesystem(record.id, world.path("nowhere"), call()), "not-found");
    await expectRefusal(world.volumes.expandFilesystem("vol-aaaaaaaaaaaaaaaaaaaaaaaaaa", world.path("nowhere"), call()), "not-found");
    await expectRefusal(world.volumes.expand("vol-aaaaaaaaaaaaaaaaaaaaaaaaaa", toSize(SIZE), call()), "not-found");
  });
});
