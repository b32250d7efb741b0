import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, fromSnapshot } from "./client.ts";
import { Suite } from "./suite.ts";

describe(`starting again on ${worldName}`, () => {
  const suite = Suite.forEachTest({ inWorker: true });

  test("volumes, snapshots and their content are what they were, after a restart and after a reboot", async () => {
    const { client, world } = suite;
    const { record: source } = await client.create("source");
    await client.put(source.id, "ext4", "file", "content");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    for (const reboot of [false, true]) {
      await world.stop();
      if (reboot) await world.reboot();
      await world.start();
      expect((await world.volumes.get(source.id, call())).record).toMatchObject({ id: source.id, number: source.number, sizeBytes: source.sizeBytes });
      expect((await world.volumes.getSnapshot(snapshot.id, call())).record).toEqual(snapshot);
      expect(await client.get(source.id, "ext4", "file")).toBe("content");
      const { record: restored } = await client.create(`restored ${reboot}`, { origin: fromSnapshot(snapshot.id) });
      expect(await client.get(restored.id, "ext4", "file")).toBe("content");
    }
  });

  test("a pool whose superblock was blanked is refused, and never made anew over the volumes' data", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    await world.stop();
    await world.reboot();
    world.blankSuperblock();
    await expect(world.start()).rejects.toThrow(/nothing but zeros/);
    expect(world.superblockIsBlank()).toBe(true);
    await expect(world.start()).rejects.toThrow(/nothing but zeros/);
    expect(world.superblockIsBlank()).toBe(true);
  });

  test("a lost catalogue does not make the pool a new one: it is refused, and its volumes stay", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    const [kept, elsewhere] = [world.stateDirectory, `${world.stateDirectory}-kept`];
    await world.stop();
    await world.reboot();
    cpSync(kept, elsewhere, { recursive: true });
    rmSync(join(kept), { recursive: true });
    await expect(world.start()).rejects.toThrow();
    rmSync(kept, { recursive: true, force: true });
    cpSync(elsewhere, kept, { recursive: true });
    rmSync(elsewhere, { recursive: true });
    await world.start();
    expect(await client.get(record.id, "ext4", "file")).toBe("content");
  });

  test.each([
    ["while the machine stayed up", false],
    ["after a reboot", true],
  ])("an old catalogue over newer volumes is refused %s, and nothing of them is deleted or adopted", async (_, reboot) => {
    const { client, world } = suite;
    const { record: old } = await client.create("old");
    await client.put(old.id, "ext4", "file", "old content");
    await world.stop();
    const putBackOlder = world.keepCatalogue();
    await world.start();
    const { record: recent } = await client.create("recent");
    await client.put(recent.id, "ext4", "file", "recent content");
    await world.stop();
    if (reboot) await world.reboot();
    const putBackNewer = world.keepCatalogue();
    putBackOlder();
    await expect(world.start()).rejects.toThrow(/transaction id/);
    putBackNewer();
    await world.start();
    expect(await client.get(old.id, "ext4", "file")).toBe("old content");
    expect(await client.get(recent.id, "ext4", "file")).toBe("recent content");
  });

  test("a second driver on the same pool does not serve, and the first is not disturbed", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    expect(await world.secondDriver()).toMatch(/another process/);
    await world.writeFile(`${use.path}/file`, "content");
    await client.snapshot("moment", record.id);
    await client.create("two");
    expect(await world.thins()).toHaveLength(3);
  });

  test("devices that were left suspended run again when the driver starts, and what was loaded beside their tables is dropped", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.stop();
    const ours = world.dm.list().filter(({ uuid }) => uuid.startsWith("DMTHIN-"));
    const volume = ours.find(({ uuid }) => uuid.endsWith(record.id))?.uuid ?? "";
    world.dm.load(volume, world.dm.table(volume));
    world.dm.suspend(volume, { noFlush: true, skipFreeze: true });
    world.dm.suspend(world.poolUuid, { noFlush: true, skipFreeze: true });
    await world.start();
    for (const { uuid } of ours) expect(world.dm.info(uuid)).toMatchObject({ suspended: false, hasInactiveTable: false });
    await world.writeFile(`${use.path}/file`, "content");
    await world.syncFile(`${use.path}/file`);
  });

  test("a metadata snapshot that a dead process left is released, so that the pool can be listed", async () => {
    const { client, world } = suite;
    await client.create("one");
    await world.stop();
    world.dm.message(world.poolUuid, "reserve_metadata_snap");
    await world.start();
    expect(await world.thins()).toHaveLength(1);
  });
});

describe(`a full pool on ${worldName}`, () => {
  const suite = Suite.forEachTest({ dataBytes: 64 * 1024 ** 2, pool: { overcommitRatio: 100 } });

  test("what was written before stays readable, and after a deletion the pool serves again", async () => {
    const { client, world } = suite;
    const [{ record: kept }, { record: large }] = [await client.create("kept"), await client.create("large", { kind: "block" })];
    await client.put(kept.id, "ext4", "file", "content");
    const use = await client.mount(large.id, "block");
    const part = Buffer.alloc(1024 ** 2, 1);
    const fill = async (): Promise<void> => {
      for (let done = 0; done < 70; done++) await world.writeBlock(use.path, done * part.length, part);
    };
    await expect(fill()).rejects.toThrow();
    await client.unmount(use);
    expect((await world.volumes.get(kept.id, call())).record.id).toBe(kept.id);
    await expect(client.create("another")).rejects.toThrow();
    await client.delete(large.id);
    expect(await client.get(kept.id, "ext4", "file")).toBe("content");
    expect((await client.create("another")).record.name).toBe("another");
  });
});
