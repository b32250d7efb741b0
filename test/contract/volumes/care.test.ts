import { describe, expect, test } from "@jest/globals";
import { bytes, KiB, MiB, roundUp } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { until } from "../kernel/pools.ts";
import { GROWTH_STEP_BYTES } from "./description.ts";
import { call, fromSnapshot, fromVolume } from "./client.ts";
import { expectRefusal, Suite } from "./suite.ts";

const CHUNK = 64 * KiB;
const SIZE = 64 * MiB;

describe(`care for a pool on ${worldName}`, () => {
  const suite = Suite.forEachTest({
    dataBytes: 16 * MiB,
    metadataBytes: 8 * MiB,
    pool: { whenFull: "auto", autoextend: { thresholdPercent: 80, percent: 50 }, minimumFree: { dataPercent: 10, metadataPercent: 1 }, overcommitRatio: 1000 },
  });

  /** A block volume in use, and a way to write whole chunks of it. */
  async function inUse(name: string) {
    const { id } = (await suite.client.create(name, { kind: "block", size: SIZE })).record;
    const { path } = await suite.client.mount(id, "block");
    const write = async (from: number, count: number): Promise<void> => suite.world.writeBlock(path, from * CHUNK, Buffer.alloc(count * CHUNK, 7));
    return { id, path, write };
  }

  /** Looks again and again, as the driver does near to full. */
  async function settled(condition: () => boolean): Promise<void> {
    const looking = setInterval(() => void suite.world.look(), 50);
    try {
      await suite.world.look();
      await until(condition);
    } finally {
      clearInterval(looking);
    }
  }

  test("what lies below it has become larger: beyond the threshold the pool takes a part of it, or what there is", async () => {
    const { world } = suite;
    const { write } = await inUse("a");
    await write(0, 200);
    world.enlarge("data", 20 * MiB);
    await settled(() => world.view.figures?.data.used === 200);
    expect(world.view.figures?.data.total).toBe(256);
    await write(200, 10);
    await settled(() => world.view.care?.data.sizeBytes === 20 * MiB);
    expect(world.view.care).toMatchObject({
      data: { sizeBytes: 20 * MiB, lastExtension: { part: "data", fromBytes: 16 * MiB, toBytes: 20 * MiB, by: "care" } },
    });
    world.enlarge("data", 64 * MiB);
    await write(210, 60);
    await settled(() => world.view.care?.data.sizeBytes === roundUp(bytes(30 * MiB), GROWTH_STEP_BYTES));
    expect(world.view.care?.counts.extended).toBe(2);
  });

  test("a writer waits while more can be had, and goes on with it", async () => {
    const { world } = suite;
    const { path, write } = await inUse("a");
    await settled(() => world.view.figures?.queuesWhenFull === false);
    world.enlarge("data", 64 * MiB);
    await world.volumes.extend("contract", "data", { by: MiB });
    await settled(() => world.view.figures?.queuesWhenFull === true);
    await Promise.all([write(0, 600), settled(() => (world.view.figures?.data.total ?? 0) > 600)]);
    const read = await world.readBlock(path, 599 * CHUNK, CHUNK);
    expect(read.equals(Buffer.alloc(CHUNK, 7))).toBe(true);
    await settled(() => world.view.figures?.state === "rw");
  });

  test("with nothing left that is said once, writes fail, and new work is refused; a deletion is carried out and mends it", async () => {
    const { world, client } = suite;
    const { id } = await inUse("spare");
    const { write } = await inUse("a");
    const snapshot = (await client.snapshot("before", id)).record.id;
    await settled(() => world.view.figures?.queuesWhenFull === false);
    await expect(write(0, 300)).rejects.toThrow();
    await settled(() => world.view.figures?.state === "out_of_data_space" && world.view.care?.counts.exhausted === 1);
    for (let looks = 0; looks < 3; looks++) await world.look();
    expect(world.view.care).toMatchObject({ data: { exhausted: true }, counts: { exhausted: 1, failing: 1 } });
    await expectRefusal(client.create("new", { kind: "block", size: SIZE }), "pool-not-writable");
    await expectRefusal(client.create("clone", { kind: "block", size: SIZE, origin: fromVolume(id) }), "pool-not-writable");
    await expectRefusal(client.create("restore", { kind: "block", size: SIZE, origin: fromSnapshot(snapshot) }), "pool-not-writable");
    await expectRefusal(client.snapshot("late", id), "pool-not-writable");
    await world.volumes.deleteSnapshot(snapshot, call());
    expect((await world.thins()).length).toBe(2);
    world.enlarge("data", 64 * MiB);
    await world.volumes.extend("contract", "data", "max");
    await settled(() => world.view.figures?.state === "rw" && world.view.care?.data.exhausted === false);
    await client.create("new", { kind: "block", size: SIZE });
    await write(0, 300);
  });

  test("by hand: as large as asked, in whole chunks, not twice, and no larger than there is room", async () => {
    const { world } = suite;
    const { volumes } = world;
    const toBytes = roundUp(bytes(20 * MiB + 1), GROWTH_STEP_BYTES);
    world.enlarge("data", 64 * MiB);
    expect(await volumes.extend("contract", "data", { to: bytes(20 * MiB + 1) })).toMatchObject({ fromBytes: 16 * MiB, toBytes, by: "request" });
    expect(await volumes.extend("contract", "data", { to: bytes(20 * MiB) })).toMatchObject({ fromBytes: toBytes, toBytes });
    await expectRefusal(volumes.extend("contract", "data", { by: bytes(64 * MiB) }), "out-of-range");
    expect(await volumes.extend("contract", "data", "max")).toMatchObject({ toBytes: 64 * MiB });
    world.enlarge("metadata", 12 * MiB);
    expect(await volumes.extend("contract", "metadata", "max")).toMatchObject({ toBytes: 12 * MiB });
    await settled(() => world.view.care?.data.headroomBytes === 0 && world.view.care.metadata.headroomBytes === 0);
  });
});
