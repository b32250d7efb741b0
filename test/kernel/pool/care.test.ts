import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { LoopBacking } from "../../../src/config/pool-description.ts";
import { isError } from "../../../src/errors.ts";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { labDisks } from "../../contract/choice.ts";
import { CareBench } from "./care-bench.ts";

jest.setTimeout(120_000);
const [FIRST = "", SECOND = ""] = labDisks;

let bench: CareBench;
beforeEach(() => {
  bench = new CareBench();
});
afterEach(async () => {
  await bench.dispose();
});

const loop = (change: Partial<LoopBacking> = {}): LoopBacking => ({
  kind: "loop",
  directory: join(bench.hostFilesystem(SECOND), "pool"),
  dataSize: bytes(64 * MiB),
  metadataSize: bytes(4 * MiB),
  maximumDataSize: GiB,
  hostReserve: bytes(64 * MiB),
  ...change,
});

test("loop: a writer that is faster than many steps loses nothing; when nothing is left that is said once, and writes fail", async () => {
  const backing = loop();
  const pool = await bench.open({ backing });
  const { path } = await bench.activate("a", bytes(2 * GiB));
  expect(await bench.fill(path, 640)).toMatchObject({ code: 0 });
  expect(await pool.calls.mapped(volumeId("a"))).toBe(640 * MiB);
  // The kernel lets the last write go as the pool is made larger; what the actor has published is of a moment before.
  expect(await pool.calls.refresh()).toMatchObject({ state: "rw", queuesWhenFull: true });
  expect(bench.told("extended").length).toBeGreaterThan(5);

  expect(await bench.fill(path, 640, 640)).toMatchObject({ code: 1, said: expect.stringContaining("No space left on device") });
  await bench.until(() => pool.view.care?.counts.failing === 1 && pool.view.figures?.state === "out_of_data_space");
  expect(pool.view.care).toMatchObject({
    data: { exhausted: true, sizeBytes: GiB, headroomBytes: 0, failure: undefined },
    counts: { exhausted: 1, failing: 1 },
  });
  expect(pool.view.figures?.queuesWhenFull).toBe(false);
  expect(statSync(join(backing.directory, "data.img")).size).toBe(GiB);
  await Promise.all([pool.calls.refresh(), pool.calls.refresh()]);
  expect([bench.told("exhausted"), bench.told("failing")].map(({ length }) => length)).toEqual([1, 1]);

  await pool.calls.deactivate(volumeId("a"));
  await pool.calls.remove(volumeId("a"));
  await bench.until(() => pool.view.figures?.state === "rw" && pool.view.care?.data.exhausted === false);
  expect(bench.told("state").at(-1)).toBe("the pool is in state rw, after out_of_data_space");
});

/** Asked for again, as a CSI caller does, while the pool has little room and is being made larger. */
async function takeSnapshot(name: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await bench.pool.calls.createSnapshots([{ id: snapshotId(name), name, sourceVolumeId: volumeId("a") }], undefined);
      return;
    } catch (error) {
      if (tries === 100 || !isError(error, "pool-not-ready")) throw error;
      await sleep(100);
    }
  }
}

/** Snapshot after snapshot, and between them a write into each of many leaves of the mapping, which the one before shares. */
async function scatter(path: string, rounds: number, first = 1): Promise<void> {
  const device = await open(path, "r+");
  try {
    for (let round = first; round < first + rounds; round++) {
      for (let leaf = 0; leaf < 64; leaf++) await device.write(Buffer.alloc(4096, round), 0, 4096, leaf * 4 * MiB);
      await device.sync();
      await takeSnapshot(`s${round}`);
    }
    const last = await device.read(Buffer.alloc(4096), 0, 4096, 63 * 4 * MiB);
    expect(last.buffer.every((byte) => byte === first + rounds - 1)).toBe(true);
  } finally {
    await device.close();
  }
}

test("loop: metadata is made larger while snapshots are taken of a volume in use, and its file is fully allocated", async () => {
  const backing = loop({ metadataSize: bytes(2 * MiB) });
  const pool = await bench.open({ backing, minimumFree: { dataPercent: 0, metadataPercent: 0 } });
  const { path } = await bench.activate("a", bytes(16 * GiB));
  expect(await bench.fill(path, 256)).toMatchObject({ code: 0 });
  await scatter(path, 24);
  await bench.until(() => (pool.view.figures?.metadata.used ?? 0) * 4 < (pool.view.figures?.metadata.total ?? 0) * 3);
  expect(pool.view.figures?.state).toBe("rw");
  expect(bench.told("extended").join("\n")).toMatch(/metadata was made larger, from 2 MiB to 3 MiB/);
  const { size, blocks } = statSync(join(backing.directory, "metadata.img"));
  expect(size).toBe((pool.view.figures?.metadata.total ?? 0) * 4096);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
});

test("devices: what they have more is taken while a writer runs; without any, writes fail from the start", async () => {
  const devices = { data: bench.part(FIRST, "data", bytes(64 * MiB)), metadata: bench.part(SECOND, "metadata", bytes(2 * MiB)) };
  const pool = await bench.open({ backing: { kind: "devices", ...devices }, minimumFree: { dataPercent: 0, metadataPercent: 0 } });
  await bench.until(() => pool.view.figures?.queuesWhenFull === false);
  bench.enlarge(FIRST, "data", GiB);
  bench.enlarge(SECOND, "metadata", bytes(64 * MiB));
  expect(await pool.calls.extend("data", { by: bytes(16 * MiB) })).toMatchObject({ part: "data", fromBytes: 64 * MiB, toBytes: 80 * MiB, by: "request" });
  // The kernel takes all of a larger metadata device whenever the pool gets a table.
  expect(bench.told("extended")).toEqual([
    "the pool's data was made larger, from 64 MiB to 80 MiB",
    "the pool's metadata was made larger, from 2 MiB to 64 MiB",
  ]);
  await bench.until(() => pool.view.figures?.queuesWhenFull === true);
  const { path } = await bench.activate("a", bytes(16 * GiB));
  expect(await bench.fill(path, 256)).toMatchObject({ code: 0 });
  await scatter(path, 4);
  await expect(pool.calls.extend("data", { to: bytes(2 * GiB) })).rejects.toMatchObject({ facts: { code: "out-of-range" } });
  expect(await pool.calls.extend("data", "max")).toMatchObject({ toBytes: GiB });
  expect(pool.view.figures?.state).toBe("rw");
});

test("metadata that cannot be made larger: snapshots are refused before it is full, which is told once, and scattered writes go on", async () => {
  const devices = { data: bench.part(FIRST, "data", GiB), metadata: bench.part(SECOND, "metadata", bytes(4 * MiB)) };
  // More than what is kept for copies in any case, and so what refuses first.
  const pool = await bench.open({ backing: { kind: "devices", ...devices }, minimumFree: { dataPercent: 10, metadataPercent: 60 } });
  const { path } = await bench.activate("a", bytes(16 * GiB));
  expect(await bench.fill(path, 256)).toMatchObject({ code: 0 });
  const rounds = async (first: number): Promise<never> => {
    await scatter(path, 1, first);
    return rounds(first + 1);
  };
  await expect(rounds(1)).rejects.toMatchObject({ facts: { code: "pool-low", resource: "metadata" } });
  await expect(bench.activate("b", GiB)).rejects.toMatchObject({ facts: { code: "pool-low", resource: "metadata" } });
  // All of the volume once more, shared with its last snapshot as it is.
  expect(await bench.fill(path, 256)).toMatchObject({ code: 0 });
  await bench.until(() => pool.view.care?.metadata.exhausted === true && pool.view.care.counts.low === 1);
  expect(pool.view.figures).toMatchObject({ state: "rw" });
  expect([bench.told("exhausted"), bench.told("low"), bench.told("state")].map(({ length }) => length)).toEqual([1, 1, 0]);
});
