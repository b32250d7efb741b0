import { describe, expect, test } from "@jest/globals";
import { bytes, MiB, type Bytes } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { call, SIZE, type Kind } from "./client.ts";
import { POOL } from "./description.ts";
import { activateStranger, removeStranger } from "./pool-in-kernel.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

const ORPHAN = 77;

describe(`orphans, on ${worldName}`, () => {
  const suite = Suite.forEachTest();
  const orphans = async (): Promise<readonly number[]> => (await suite.world.volumes.orphans(POOL)).map(({ number }) => number);
  const adopt = async (name: string, sizeBytes?: Bytes) => suite.world.volumes.adoptOrphan({ pool: POOL, number: ORPHAN, name, sizeBytes }, call());
  const remove = async (number = ORPHAN) => suite.world.volumes.deleteOrphan({ pool: POOL, number }, call());

  /** A copy of a volume with a file, made around the driver. */
  async function copyOfVolume(kind: Kind): Promise<void> {
    const { client, world } = suite;
    const { record } = await client.create("origin", { kind });
    await client.put(record.id, kind, "file", "content");
    world.dm.message(world.poolUuid, `create_snap ${ORPHAN} ${record.number}`);
  }

  test.each(FILESYSTEMS)("one with a %s filesystem is listed, adopted at its size, and mounted with its content", async (kind) => {
    const { client, world } = suite;
    await copyOfVolume(kind);
    expect(await orphans()).toEqual([ORPHAN]);
    const { record } = await adopt("found");
    expect(record).toMatchObject({ number: ORPHAN, name: "found", sizeBytes: SIZE, filesystem: { type: kind, state: "formatted" } });
    expect((await adopt("found")).record.id).toBe(record.id);
    expect(await orphans()).toEqual([]);
    const use = await client.mount(record.id, kind);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
    await client.unmount(use);
    await world.stop();
    await world.start();
    expect(world.view.thins.get(record.id)).toMatchObject({ number: ORPHAN, name: "found" });
    await client.delete(record.id);
    expect((await world.thins()).map(({ number }) => number)).not.toContain(ORPHAN);
  });

  test("one that holds nothing known becomes a block volume that ends where its data does, or later where that is asked", async () => {
    const { client, world } = suite;
    world.dm.message(world.poolUuid, `create_thin ${ORPHAN}`);
    await world.writeBlock(activateStranger(world, ORPHAN, SIZE), 100 * MiB, Buffer.alloc(4096, 0x5a));
    removeStranger(world);
    await expectRefusal(adopt("small", bytes(50 * MiB)), "out-of-range");
    const { record } = await adopt("found");
    const { chunkSize } = world.view.figures ?? { chunkSize: 0 };
    await expectRefusal(adopt("found", bytes(200 * MiB)), "already-exists");
    expect((await adopt("found", bytes(100 * MiB + chunkSize))).record.id).toBe(record.id);
    expect(record).toMatchObject({ sizeBytes: 100 * MiB + chunkSize, filesystem: { type: undefined, state: "none" } });
    const use = await client.mount(record.id, "block");
    expect((await world.readBlock(use.path, 100 * MiB, 4096)).every((byte) => byte === 0x5a)).toBe(true);
    await client.unmount(use);
  });

  test("one is refused at a size that its pool could never hold, and stays an orphan", async () => {
    const { world } = suite;
    world.dm.message(world.poolUuid, `create_thin ${ORPHAN}`);
    await expectRefusal(adopt("large", bytes(2 ** 52)), "out-of-range");
    expect(await orphans()).toEqual([ORPHAN]);
    expect(world.view.thins.size).toBe(0);
  });

  test("a number that is no orphan, and a name that is taken, are refused, and nothing changes", async () => {
    const { client, world } = suite;
    const { record } = await client.create("taken");
    world.dm.message(world.poolUuid, `create_thin ${ORPHAN}`);
    await expectRefusal(adopt("taken"), "already-exists");
    await expectRefusal(remove(record.number), "not-found");
    await expectRefusal(remove(ORPHAN + 1), "not-found");
    expect(await orphans()).toEqual([ORPHAN]);
    expect(world.view.thins.get(record.id)).toMatchObject({ state: "ready" });
  });

  test("one is deleted when it is asked for by number, its blocks are the pool's again, and others stay", async () => {
    const { world } = suite;
    for (const number of [ORPHAN, ORPHAN + 1]) world.dm.message(world.poolUuid, `create_thin ${number}`);
    await world.writeBlock(activateStranger(world, ORPHAN, SIZE), 0, Buffer.alloc(MiB, 0x5a));
    removeStranger(world);
    expect(await remove()).toBe("removed");
    expect(await orphans()).toEqual([ORPHAN + 1]);
    expect((await world.thins()).map(({ number }) => number)).toEqual([ORPHAN + 1]);
    expect([...world.view.thins.keys()]).toEqual([]);
  });

  test("one that somebody has activated waits for that to end, a restart of the driver included", async () => {
    const { world } = suite;
    world.dm.message(world.poolUuid, `create_thin ${ORPHAN}`);
    activateStranger(world, ORPHAN, SIZE);
    expect(await remove()).toBe("waiting");
    await world.stop();
    await world.start();
    expect((await world.thins()).map(({ number }) => number)).toEqual([ORPHAN]);
    removeStranger(world);
    expect(await remove()).toBe("removed");
    expect(await world.thins()).toEqual([]);
  });

  test("when it was made is told by what was made before and after it", async () => {
    const { client, world } = suite;
    const transactionOf = (id: string): number => world.view.thins.get(id)?.transactionId ?? 0;
    const { record: before } = await client.create("before");
    world.dm.message(world.poolUuid, `create_thin ${ORPHAN}`);
    await client.create("after one");
    const { record: after } = await client.create("after two");
    const [orphan] = await world.volumes.orphans(POOL);
    expect(orphan?.transactionId).toBe(transactionOf(before.id));
    expect(transactionOf(after.id)).toBe(transactionOf(before.id) + 2);
    expect(orphan?.notAfter?.getTime()).toBeLessThanOrEqual(after.createdAt.getTime());
  });
});
