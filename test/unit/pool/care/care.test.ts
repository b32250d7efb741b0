import { expect, test } from "@jest/globals";
import { MiB } from "../../../../src/units.ts";
import { until } from "../../../contract/kernel/pools.ts";
import { nodeForEachTest } from "../../volumes/node.ts";

const CHUNK = 64 * 1024;
const node = nodeForEachTest({ dataBytes: 16 * MiB, metadataBytes: 4 * MiB, pool: { whenFull: "auto", minimumFree: { dataPercent: 1, metadataPercent: 1 } } });

const poolUuid = (): string => node.world.dm.list().find(({ name }) => name === "dmthin-contract-pool")?.uuid ?? "";

/** A block volume in use with so many chunks written. */
async function written(chunks: number): Promise<void> {
  const { record } = await node.client.create("a", { kind: "block", size: 64 * MiB });
  const { path } = await node.client.mount(record.id, "block");
  await node.world.writeBlock(path, 0, Buffer.alloc(chunks * CHUNK, 7));
}

test("a table that the kernel refuses at resume is taken back: the pool runs on as it was, which is told, and tried again later", async () => {
  const { world } = node;
  world.enlarge("data", 64 * MiB);
  world.enlarge("metadata", 8 * MiB);
  await written(220);
  const live = world.dm.table(poolUuid());
  world.process.faults.fail("resume", 1, "EINVAL");
  await world.look();
  await until(() => world.view.care?.data.failure !== undefined);
  expect(world.view.care).toMatchObject({
    data: { failure: expect.stringContaining("EINVAL"), exhausted: false },
    counts: { "extension-failed": 1, extended: 0 },
  });
  expect(world.dm.info(poolUuid())).toMatchObject({ suspended: false, hasInactiveTable: false });
  expect(world.dm.table(poolUuid()).map(({ length }) => length)).toEqual(live.map(({ length }) => length));
  await world.look();
  expect(world.view.care?.counts.extended).toBe(0);
  expect(await world.volumes.extend("contract", "data", { by: CHUNK as never })).toMatchObject({ by: "request" });
  await until(() => world.view.care?.data.failure === undefined);
});

test("metadata that has become larger with the data's table is told of as well", async () => {
  const { world } = node;
  world.enlarge("data", 64 * MiB);
  world.enlarge("metadata", 8 * MiB);
  await written(220);
  await world.look();
  await until(() => world.view.care?.counts.extended === 2);
  expect(world.view.care).toMatchObject({
    data: { sizeBytes: expect.any(Number), lastExtension: { part: "data", by: "care" } },
    metadata: { sizeBytes: 8 * MiB, lastExtension: { part: "metadata", fromBytes: 4 * MiB, toBytes: 8 * MiB } },
  });
});

test("a pool that needs a check gets no table: what is asked is refused with what to do, and nothing below is changed", async () => {
  const { world } = node;
  world.enlarge("data", 64 * MiB);
  await written(220);
  const pool = world.machine.kernel.pool(poolUuid());
  pool.metadata.needsCheck = true;
  pool.setMode("ro");
  const tables = world.dm.table(poolUuid());
  await world.look();
  await until(() => world.view.care?.counts.state === 1);
  const refused = world.volumes.extend("contract", "data", "max");
  await expect(refused).rejects.toMatchObject({
    facts: { code: "pool-not-writable", state: "needs_check" },
    message: expect.stringContaining("dmthin pool repair"),
  });
  expect(world.dm.table(poolUuid()).map(({ length }) => length)).toEqual(tables.map(({ length }) => length));
  expect(world.view.care).toMatchObject({ data: { exhausted: false }, counts: { extended: 0, exhausted: 0 } });
});

test("what lies below ends in the midst of a chunk: as large as it can be is in whole chunks, and no more is to be had then", async () => {
  const { world } = node;
  world.enlarge("data", 20 * MiB + 4096);
  expect(await world.volumes.extend("contract", "data", "max")).toMatchObject({ toBytes: 20 * MiB });
  expect(await world.volumes.extend("contract", "data", "max")).toMatchObject({ fromBytes: 20 * MiB, toBytes: 20 * MiB });
  expect(world.view.care?.counts["extension-failed"] ?? 0).toBe(0);
});

test("what every active volume maps is told by one look", async () => {
  const { world } = node;
  await written(100);
  await world.look();
  await until(() => (world.view.mapped?.size ?? 0) === 1);
  expect([...(world.view.mapped ?? new Map()).values()]).toEqual([100 * CHUNK]);
});
