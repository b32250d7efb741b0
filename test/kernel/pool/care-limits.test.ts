import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { LoopBacking } from "../../../src/config/pool-description.ts";
import { replaceTable } from "../../../src/pool/replace-table.ts";
import { bytes, GiB, MiB, sectors } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { labDisks } from "../../contract/choice.ts";
import { CareBench, POOL } from "./care-bench.ts";
import { output } from "../../harness/program.ts";

jest.setTimeout(120_000);
const [, SECOND = ""] = labDisks;

let bench: CareBench;
beforeEach(() => {
  bench = new CareBench();
});
afterEach(async () => {
  await bench.dispose();
});

const loop = (host: string, change: Partial<LoopBacking> = {}): LoopBacking => ({
  kind: "loop",
  directory: join(host, "pool"),
  dataSize: bytes(256 * MiB),
  metadataSize: bytes(4 * MiB),
  maximumDataSize: GiB,
  hostReserve: bytes(64 * MiB),
  ...change,
});

test("a table that the kernel refuses at resume leaves the pool running with its old one, and its writer goes on", async () => {
  const pool = await bench.open({ backing: loop(bench.hostFilesystem(SECOND)) });
  const { path } = await bench.activate("a", GiB);
  const uuid = bench.dm.list().find(({ name }) => name === `dmthin-${POOL}-pool`)?.uuid ?? "";
  const live = bench.dm.table(uuid);
  const writing = bench.fill(path, 128);
  const shorter = live.map((target) => ({ ...target, length: sectors(target.length / 2) }));
  for (let times = 0; times < 5; times++) {
    expect(() => replaceTable(bench.dm, uuid, live, shorter)).toThrow("EINVAL");
    expect(bench.dm.info(uuid)).toMatchObject({ suspended: false, hasInactiveTable: false });
  }
  expect(await writing).toMatchObject({ code: 0 });
  expect(bench.dm.table(uuid)).toEqual(live);
  expect(await pool.calls.extend("data", { to: bytes(512 * MiB) })).toMatchObject({ toBytes: 512 * MiB });
});

test("a pool that died with such a table, suspended, is put right by the next start", async () => {
  const description = { backing: loop(bench.hostFilesystem(SECOND)) };
  await bench.open(description);
  const { path } = await bench.activate("a", GiB);
  expect(await bench.fill(path, 16)).toMatchObject({ code: 0 });
  await bench.close();
  const uuid = bench.dm.list().find(({ name }) => name === `dmthin-${POOL}-pool`)?.uuid ?? "";
  const live = bench.dm.table(uuid);
  bench.dm.load(uuid, live.map((target) => ({ ...target, length: sectors(target.length / 2) }))); // prettier-ignore
  expect(() => bench.dm.resume(uuid)).toThrow("EINVAL");
  expect(bench.dm.info(uuid)?.suspended).toBe(true);
  const pool = await bench.open(description);
  expect(bench.dm.info(uuid)?.suspended).toBe(false);
  expect(bench.dm.table(uuid).map(({ length }) => length)).toEqual(live.map(({ length }) => length));
  expect(await pool.calls.mapped(volumeId("a"))).toBe(16 * MiB);
});

test("a larger dataSize in the description makes the file and the pool larger at start, active or not, and never smaller", async () => {
  const host = bench.hostFilesystem(SECOND);
  await bench.open({ backing: loop(host) });
  await bench.activate("a", GiB);
  await bench.close();
  const larger = await bench.open({ backing: loop(host, { dataSize: bytes(512 * MiB), metadataSize: bytes(8 * MiB) }) });
  const sizes = ({ view }: typeof larger) => [(view.figures?.data.total ?? 0) * 64 * 1024, (view.figures?.metadata.total ?? 0) * 4096];
  expect(sizes(larger)).toEqual([512 * MiB, 8 * MiB]);
  await bench.close();
  expect(sizes(await bench.open({ backing: loop(host) }))).toEqual([512 * MiB, 8 * MiB]);
});

test("the host's filesystem keeps its reserve: no growth, no new volume, said once, until there is room again", async () => {
  const host = bench.hostFilesystem(SECOND);
  const pool = await bench.open({ backing: loop(host) });
  const { path } = await bench.activate("a", GiB);
  await bench.until(() => (pool.view.care?.data.headroomBytes ?? 0) === 768 * MiB);
  const ballast = join(host, "ballast");
  const free = pool.view.figures?.host?.freeBytes ?? 0;
  // What is left above the reserve backs less than the data file as it is.
  const room = free - 64 * MiB - 256 * MiB + 16 * MiB;
  output("fallocate", ["--length", String(room), ballast]);
  expect(await bench.fill(path, 220)).toMatchObject({ code: 0 });
  await bench.until(() => pool.view.care?.data.exhausted === true);
  expect(statSync(join(loop(host).directory, "data.img")).size).toBe(256 * MiB);
  await bench.until(() => pool.view.figures?.queuesWhenFull === false);

  output("fallocate", ["--length", String(64 * MiB), join(host, "more")]);
  const refused = bench.activate("b", GiB);
  await expect(refused).rejects.toMatchObject({ facts: { code: "pool-low", resource: "host" } });
  await pool.calls.refresh();
  await bench.until(() => bench.told("host-low").length === 1);

  truncateSync(ballast, 0);
  truncateSync(join(host, "more"), 0);
  await bench.until(() => bench.told("extended").length === 1);
  await bench.activate("b", GiB);
  expect(["host-low", "host-enough", "exhausted", "replenished"].map((event) => bench.told(event).length)).toEqual([1, 1, 1, 1]);
});
