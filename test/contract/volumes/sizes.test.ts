import { describe, expect, test } from "@jest/globals";
import { GiB, MiB } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { call, fromSnapshot, fromVolume, SIZE } from "./client.ts";
import { expectRefusal, Suite } from "./suite.ts";

const CHUNK = 64 * 1024;
const bounds = (requiredBytes: bigint | number, limitBytes?: bigint) => ({ requiredBytes: BigInt(requiredBytes), limitBytes });

describe(`sizes on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  /** The pool's data, as many times as it may be promised. */
  function largest(): bigint {
    const { data } = suite.world.view.figures ?? { data: { total: 0 } };
    return 10n * BigInt(data.total * CHUNK);
  }

  test("no size at all is the pool's default", async () => {
    expect((await suite.client.create("one", { size: 0 })).record.sizeBytes).toBe(1 * GiB);
  });

  test("a default above the limit gives way to the limit", async () => {
    expect((await suite.client.create("one", { size: 0, limit: BigInt(100 * MiB) })).record.sizeBytes).toBe(100 * MiB);
  });

  test("odd sizes are rounded up to whole chunks, the same each time they are asked for", async () => {
    const { client } = suite;
    const { record } = await client.create("one", { size: SIZE + 1 });
    expect(record.sizeBytes).toBe(SIZE + CHUNK);
    expect((await client.create("one", { size: SIZE + 1 })).record.sizeBytes).toBe(record.sizeBytes);
  });

  test("a limit that leaves no whole chunk is refused, not overstepped", async () => {
    await expectRefusal(suite.client.create("one", { size: SIZE + 1, limit: BigInt(SIZE + 2) }), "out-of-range");
    await expectRefusal(suite.client.create("one", { size: SIZE, limit: BigInt(SIZE - CHUNK) }), "out-of-range");
  });

  test("a volume below its filesystem's minimum becomes as large as that; a limit below it is refused", async () => {
    const { client } = suite;
    expect((await client.create("small", { kind: "xfs", size: 1 })).record.sizeBytes).toBe(300 * MiB);
    expect((await client.create("block", { kind: "block", size: 1 })).record.sizeBytes).toBe(CHUNK);
    await expectRefusal(client.create("smaller", { kind: "xfs", size: 1, limit: BigInt(299 * MiB) }), "out-of-range");
  });

  test.each([
    ["more than the pool can ever hold", () => largest() + 1n],
    ["2^63 - 1", () => 2n ** 63n - 1n],
    ["2^63", () => 2n ** 63n],
    ["less than nothing", () => -1n],
  ])("%s is refused, and nothing is left behind", async (_, size) => {
    const { client, world } = suite;
    await expectRefusal(client.create("one", { size: size() }), "out-of-range");
    expect(await world.thins()).toHaveLength(0);
  });

  test("the pool promises no more than its overcommit ratio allows, and says how much that is", async () => {
    const { client, world } = suite;
    const available = async () => (await world.volumes.capacity({ pool: undefined, node: undefined, filesystem: undefined }, call())).availableBytes;
    expect(await available()).toBeGreaterThan(60 * GiB);
    let promised = 0;
    for (let size = await available(); size > 0; size = await available()) {
      promised += size;
      await client.create(`volume of ${size}`, { kind: "block", size });
    }
    expect(promised).toBeLessThanOrEqual(Number(largest()));
    expect(promised).toBeGreaterThan(Number(largest()) - 2 * CHUNK * 10);
    await expectRefusal(client.create("more", { kind: "block", size: 1 }), "pool-too-small");
  });

  test("a restore or clone is at least as large as its source, and a limit below that is refused", async () => {
    const { client } = suite;
    const { record: source } = await client.create("source");
    const { record: snapshot } = await client.snapshot("moment", source.id);
    for (const [name, origin] of [
      ["restore", fromSnapshot(snapshot.id)],
      ["clone", fromVolume(source.id)],
    ] as const) {
      await expectRefusal(client.create(name, { size: 0, limit: BigInt(SIZE - CHUNK), origin }), "out-of-range");
      expect((await client.create(name, { size: 0, origin })).record.sizeBytes).toBe(SIZE);
    }
  });

  test("expanding to what a volume has already changes nothing; shrinking, and more than the pool holds, are refused", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    expect((await world.volumes.expand(record.id, bounds(SIZE), call())).record.sizeBytes).toBe(SIZE);
    expect((await world.volumes.expand(record.id, bounds(1), call())).record.sizeBytes).toBe(SIZE);
    await expectRefusal(world.volumes.expand(record.id, bounds(0, BigInt(SIZE - CHUNK)), call()), "out-of-range");
    await expectRefusal(world.volumes.expand(record.id, bounds(largest() + 1n), call()), "out-of-range");
    await expectRefusal(world.volumes.expand(record.id, bounds(2n ** 63n), call()), "out-of-range");
    expect((await world.volumes.get(record.id, call())).record.sizeBytes).toBe(SIZE);
  });
});
