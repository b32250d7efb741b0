import { describe, expect, test } from "@jest/globals";
import { sectors } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, SIZE, type Kind } from "./client.ts";
import { activateStranger, addStranger, removeStranger } from "./pool-in-kernel.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

const MEBIBYTE = 1024 ** 2;

describe(`what is not the driver's, on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  /** Writes to a volume that nobody uses, around the driver. */
  async function overwrite(number: number, offset: number, data: Buffer): Promise<void> {
    const { world } = suite;
    await world.writeBlock(activateStranger(world, number, SIZE), offset, data);
    removeStranger(world);
  }

  async function readAround(number: number, offset: number, length: number): Promise<Buffer> {
    const { world } = suite;
    const data = await world.readBlock(activateStranger(world, number, SIZE), offset, length);
    removeStranger(world);
    return data;
  }

  test.each(FILESYSTEMS)("a %s volume that cannot be read any more is never formatted again", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    await client.put(record.id, kind, "file", "content");
    await overwrite(record.number, 0, Buffer.alloc(MEBIBYTE));
    await overwrite(record.number, 64 * MEBIBYTE, Buffer.alloc(4096));
    const mark = Buffer.alloc(4096, 0x5a);
    await overwrite(record.number, 200 * MEBIBYTE, mark);
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(client.stage(client.use(record.id, kind))).rejects.toMatchObject({ facts: { code: "foreign-content" } });
    await world.stop();
    await world.start();
    await expectRefusal(client.stage(client.use(record.id, kind)), "foreign-content");
    expect((await readAround(record.number, 200 * MEBIBYTE, 4096)).equals(mark)).toBe(true);
    expect((await readAround(record.number, 0, 4096)).every((byte) => byte === 0)).toBe(true);
    await client.delete(record.id);
  });

  test.each([
    ["a swap signature", 4086, "SWAPSPACE2"],
    ["an LVM label", 512, "LABELONE"],
    ["bytes that nobody knows", 8192, "whatever this is"],
  ])("a volume that never had a filesystem and holds %s is neither formatted nor mounted", async (_, offset, text) => {
    const { client } = suite;
    const { record } = await client.create("one");
    const block = Buffer.alloc(16384);
    block.write(text, offset);
    await overwrite(record.number, 0, block);
    await expectRefusal(client.stage(client.use(record.id)), "foreign-content");
    expect((await readAround(record.number, offset, text.length)).toString()).toBe(text);
    await client.delete(record.id);
  });

  test("a volume with another filesystem than its own is not mounted", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    await world.filesystems.make("xfs", activateStranger(world, record.number, SIZE), []);
    removeStranger(world);
    await expectRefusal(client.stage(client.use(record.id)), "foreign-content");
  });

  test.each<readonly [Kind]>([["ext4"], ["block"]])(
    "thin numbers that somebody else made are passed by, for %s volumes, snapshots and groups, and never touched",
    async (kind) => {
      const { client, world } = suite;
      const { record: source } = await client.create("source", { kind });
      const strangers = [1, 2, 4, 7].map((ahead) => source.number + ahead);
      for (const number of strangers) world.dm.message(world.poolUuid, `create_thin ${number}`);
      const mark = Buffer.alloc(4096, 0x5a);
      for (const number of strangers) await overwrite(number, 0, mark);
      const { record: snapshot } = await client.snapshot("moment", source.id);
      const { record: volume } = await client.create("volume", { kind });
      const { record: restored } = await client.create("restored", { kind, origin: fromSnapshot(snapshot.id) });
      const group = await world.volumes.createGroup({ name: "group", sourceVolumeIds: [source.id, volume.id] }, call());
      const ours = [source, snapshot, volume, restored, ...group.snapshots.map(({ record }) => record)].map(({ number }) => number);
      expect(ours.filter((number) => strangers.includes(number))).toEqual([]);
      expect(new Set(ours).size).toBe(ours.length);
      await world.volumes.deleteGroup(group.record.id, group.record.snapshotIds, call());
      for (const id of [source.id, volume.id, restored.id]) await client.delete(id);
      await world.volumes.deleteSnapshot(snapshot.id, call());
      await world.stop();
      await world.start();
      expect((await world.thins()).map(({ number }) => number)).toEqual(strangers);
      for (const number of strangers) expect((await readAround(number, 0, 4096)).equals(mark)).toBe(true);
    },
  );

  test("strangers' thin devices are told as orphans", async () => {
    const { client, world } = suite;
    await client.create("one");
    world.dm.message(world.poolUuid, "create_thin 4711");
    await world.stop();
    await world.start();
    while (world.view.inventory === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.view.inventory.orphans.map(({ number }) => number)).toEqual([4711]);
  });

  test("a block volume whose minor went to another device is not published as that device, and unpublished without harm to it", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    const use = client.use(record.id, "block");
    await client.stage(use);
    const device = world.dm.list().find(({ uuid }) => uuid.endsWith(record.id));
    if (device === undefined) throw new Error("the staged volume has no device");
    world.dm.remove(device.uuid);
    const path = addStranger(world, { start: sectors(0), length: sectors(2048), type: "error", parameters: "" });
    expect(path).toBe(`/dev/dm-${device.minor}`);
    await client.publish(use);
    await world.writeBlock(use.path, 0, Buffer.alloc(4096, 1)); // an error device would refuse it
    await client.unmount(use);
    expect(world.dm.info("STRANGER")).toMatchObject({ suspended: false, hasActiveTable: true });
    removeStranger(world);
  });

  test("a filesystem volume whose minor went to another device is staged as itself", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = await client.mount(record.id);
    await world.writeFile(`${use.path}/file`, "content");
    const before = world.dm.list().find(({ uuid }) => uuid.endsWith(record.id));
    await client.unmount(use);
    const path = addStranger(world, { start: sectors(0), length: sectors(2048), type: "error", parameters: "" });
    expect(path).toBe(`/dev/dm-${before?.minor}`);
    expect(await client.get(record.id, "ext4", "file")).toBe("content");
    removeStranger(world);
  });

  /** The volume's device goes, and another takes its minor. */
  function takeOver(id: string): void {
    const { world } = suite;
    const device = world.dm.list().find(({ uuid }) => uuid.endsWith(id));
    if (device === undefined) throw new Error("the volume has no device");
    world.dm.remove(device.uuid);
    const path = addStranger(world, { start: sectors(0), length: sectors(SIZE / 512), type: "error", parameters: "" });
    expect(path).toBe(`/dev/dm-${device.minor}`);
  }

  test.each([
    ["formatted", "mounts", false],
    ["mounted", "makeTarget", true],
  ] as const)("a device that takes over a volume's minor at the last moment is not %s in its place", async (_, method, isFormatted) => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    if (isFormatted) await client.put(record.id, "ext4", "file", "content");
    world.beforeNext(method, () => takeOver(record.id));
    await expectRefusal(client.stage(client.use(record.id)), "path-unusable");
    removeStranger(world);
    if (isFormatted) expect(await client.get(record.id, "ext4", "file")).toBe("content");
    else await client.put(record.id, "ext4", "file", "content");
  });

  test("a device that takes over a block volume's minor at the last moment is not published in its place", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind: "block" });
    const use = client.use(record.id, "block");
    await client.stage(use);
    world.beforeNext("makeTarget", () => takeOver(record.id));
    await expectRefusal(client.publish(use), "path-unusable");
    expect(world.exists(use.path)).toBe(false);
    removeStranger(world);
    await client.publish(use);
    await world.writeBlock(use.path, 0, Buffer.alloc(4096, 1));
  });

  test("a stranger's mount on the staging path is neither used nor taken off", async () => {
    const { client, world } = suite;
    const [{ record: one }, { record: two }] = [await client.create("one"), await client.create("two")];
    const use = await client.mount(one.id);
    await world.writeFile(`${use.path}/file`, "content");
    const stolen = { ...client.use(two.id), stagingPath: use.stagingPath };
    await expectRefusal(client.stage(stolen), "path-unusable");
    await expectRefusal(client.unstage(stolen), "path-unusable");
    expect((await world.readFile(`${use.stagingPath}/file`)).toString()).toBe("content");
  });
});
