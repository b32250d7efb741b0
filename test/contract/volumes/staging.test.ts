import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, type Kind } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

const KINDS: readonly (readonly [Kind])[] = [...FILESYSTEMS, ["block"]];

async function tenTimes(run: () => Promise<void>): Promise<void> {
  for (let again = 0; again < 10; again++) await run();
}

describe(`staging and publishing on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(KINDS)("each node call on a %s volume, made ten times, is as if it were made once", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = client.use(record.id, kind);
    await tenTimes(async () => client.stage(use));
    await tenTimes(async () => client.publish(use));
    expect(world.exists(use.path)).toBe(true);
    await tenTimes(async () => client.unpublish(use));
    expect(world.exists(use.path)).toBe(false);
    await tenTimes(async () => client.unstage(use));
    expect(world.devices()).toHaveLength(1);
    expect((await world.filesystems.mounts()).filter(({ target }) => target.includes(record.id))).toEqual([]);
  });

  test.each(FILESYSTEMS)("what is written to a %s volume is there when it is staged again", async (kind) => {
    const { client } = suite;
    const { record } = await client.create("one", { kind });
    await client.put(record.id, kind, "file", "content");
    expect(await client.get(record.id, kind, "file")).toBe("content");
  });

  test("what is written to a block volume is there when it is staged again", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    const use = await client.mount(record.id, "block");
    await world.writeBlock(use.path, 4096, Buffer.alloc(4096, 7));
    await client.unmount(use);
    const again = await client.mount(record.id, "block");
    expect((await world.readBlock(again.path, 4096, 4096)).equals(Buffer.alloc(4096, 7))).toBe(true);
  });

  test.each(FILESYSTEMS)("an %s mount held open does not hold up unpublish and unstage, and staged again it has everything", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = await client.mount(record.id, kind);
    await world.writeFile(`${use.path}/file`, "content");
    const release = world.hold(`${use.path}/file`);
    await client.unpublish(use);
    await client.unstage(use);
    expect(world.exists(use.path)).toBe(false);
    const again = await client.mount(record.id, kind);
    expect((await world.readFile(`${again.path}/file`)).toString()).toBe("content");
    await world.writeFile(`${again.path}/file`, "more");
    release();
    expect((await world.readFile(`${again.path}/file`)).toString()).toBe("more");
    await client.unmount(again);
    expect(await client.get(record.id, kind, "file")).toBe("more");
  });

  test("a block volume held open does not hold up unpublish and unstage, and staged again it is the same", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    const use = await client.mount(record.id, "block");
    await world.writeBlock(use.path, 0, Buffer.alloc(4096, 7));
    const release = world.hold(use.path);
    await client.unmount(use);
    const again = await client.mount(record.id, "block");
    release();
    expect((await world.readBlock(again.path, 0, 4096)).equals(Buffer.alloc(4096, 7))).toBe(true);
    await client.unmount(again);
  });

  test("a mount that leaked into another mount namespace does not hold up unstage, and the volume can be deleted", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    const release = await world.leakMounts();
    await client.unmount(use);
    await client.delete(record.id);
    await expectRefusal(world.volumes.get(record.id, call()), "not-found");
    release();
  });

  test("a volume staged elsewhere or otherwise is refused, and the first use goes on", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    const elsewhere = { ...use, stagingPath: world.directory("elsewhere") };
    await expectRefusal(client.stage(elsewhere), "use-conflict");
    await expectRefusal(client.stage(use, "SINGLE_NODE_READER_ONLY"), "use-conflict");
    await expectRefusal(client.publish(elsewhere), "not-staged");
    await client.unstage(elsewhere);
    await world.writeFile(`${use.path}/file`, "content");
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
  });

  test("a read-only publication cannot be written, and one that can be stands beside it", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const mode = "SINGLE_NODE_MULTI_WRITER";
    const use = client.use(record.id);
    const reader = client.use(record.id, "ext4", "reader");
    await client.stage(use, mode);
    await client.publish(use, { mode });
    await client.publish(reader, { mode, readOnly: true });
    await world.writeFile(`${use.path}/file`, "content");
    expect((await world.readFile(`${reader.path}/file`)).toString()).toBe("content");
    await expect(world.writeFile(`${reader.path}/file`, "no")).rejects.toThrow("EROFS");
    await expectRefusal(client.publish(reader, { mode }), "use-conflict");
  });

  test("a single writer's volume is published at one path only", async () => {
    const { client, world } = suite;
    const mode = "SINGLE_NODE_SINGLE_WRITER";
    const { record } = await client.create("one", { mode });
    const use = client.use(record.id);
    const second = client.use(record.id, "ext4", "second");
    await client.stage(use, mode);
    await client.publish(use, { mode });
    await expectRefusal(client.publish(second, { mode }), "published-elsewhere");
    expect(world.exists(second.path)).toBe(false);
    await client.unpublish(use);
    await client.publish(second, { mode });
  });

  test("what is not staged is not published", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = client.use(record.id);
    await expectRefusal(client.publish(use), "not-staged");
    expect(world.exists(use.path)).toBe(false);
  });

  test("a filesystem volume is not used as a block device, nor the other way round, nor as another filesystem", async () => {
    const { client } = suite;
    const [{ record: ext4 }, { record: block }] = [await client.create("ext4"), await client.create("block", { kind: "block" })];
    await expectRefusal(client.stage(client.use(ext4.id, "block")), "invalid-argument");
    await expectRefusal(client.stage(client.use(ext4.id, "xfs")), "invalid-argument");
    await expectRefusal(client.stage(client.use(block.id, "ext4")), "invalid-argument");
  });

  test.each(FILESYSTEMS)("a mkfs of %s that ended half way is begun again, and nobody sees the half", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = client.use(record.id, kind);
    world.interruptNextMake();
    await expect(client.stage(use)).rejects.toThrow();
    await world.stop();
    await world.start();
    await client.stage(use);
    await client.publish(use);
    await world.writeFile(`${use.path}/file`, "content");
    await client.unmount(use);
    expect(await client.get(record.id, kind, "file")).toBe("content");
  });

  test("mkfsOptions that cannot be right are refused before there is a volume", async () => {
    const { client, world } = suite;
    for (const mkfsOptions of [["--no-such-option"], ["-n"], ["/dev/sda"], ["-N"]]) {
      await expectRefusal(client.create("one", { mkfsOptions }), "invalid-argument");
      await expect(client.create("one", { mkfsOptions })).rejects.toThrow(/^parameter mkfsOptions: /);
    }
    expect(await world.thins()).toEqual([]);
  });

  test("a filesystem that mkfs refuses to make is an error with mkfs's own words and the volume's mkfsOptions, and the volume can be deleted", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { mkfsOptions: ["-b", "999"] });
    await expect(client.stage(client.use(record.id))).rejects.toThrow(/mkfsOptions "-b 999" \(.*invalid block size/s);
    await client.delete(record.id);
    expect(world.devices()).toHaveLength(1);
  });

  test.each(FILESYSTEMS)("a %s volume is used over a restart of the driver without its user noticing", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = await client.mount(record.id, kind);
    await world.writeFile(`${use.path}/file`, "before");
    await world.stop();
    await world.writeFile(`${use.path}/file`, "between");
    await world.start();
    await client.stage(use);
    await client.publish(use);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("between");
    const { record: snapshot } = await client.snapshot("moment", record.id);
    await client.unmount(use);
    const { record: restored } = await client.create("restored", { kind, origin: fromSnapshot(snapshot.id) });
    expect(await client.get(restored.id, kind, "file")).toBe("between");
  });

  test.each(KINDS)("a %s volume that was in use when the machine went down is staged again, and deleted after it", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = await client.mount(record.id, kind);
    await world.stop();
    await world.reboot();
    await world.start();
    await client.stage(use);
    await client.publish(use);
    await client.unmount(use);
    await client.delete(record.id);
    expect(await world.thins()).toHaveLength(0);
  });

  test("usage and size are told at both paths, and nothing at others", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    for (const path of [use.stagingPath, use.path]) {
      const { usage, sizeBytes, condition } = await world.volumes.stats(record.id, path, call());
      expect(sizeBytes).toBe(record.sizeBytes);
      expect(condition.abnormal).toBe(false);
      expect(usage?.totalBytes).toBeGreaterThan(0.8 * record.sizeBytes);
    }
    await expectRefusal(world.volumes.stats(record.id, world.path("nowhere"), call()), "not-found");
    await expectRefusal(world.volumes.stats("vol-aaaaaaaaaaaaaaaaaaaaaaaaaa", use.path, call()), "not-found");
    await client.unmount(use);
    await expectRefusal(world.volumes.stats(record.id, use.path, call()), "not-found");
  });
});
