import { describe, expect, test } from "@jest/globals";
import { parsePoolStatus, parseThinStatus } from "../../../src/devicemapper/thin-status.ts";
import { worldName } from "../choice.ts";
import { CHUNK_SECTORS, errnoOf, filled, line, number, path, Pools, PREFIX } from "./pools.ts";

describe(`what ${worldName} tells of devices`, () => {
  const pools = Pools.forEachTest();

  test("a new pool's status reads as documented: nothing of its data used, a tenth of its metadata held back", () => {
    pools.pool();
    const status = pools.status("POOL");
    expect(status).toMatch(/^0 \d+\/524288 0\/256 - rw (?:no_)?discard_passdown queue_if_no_space - 1024$/);
    const parsed = parsePoolStatus(status);
    if (!("metadata" in parsed)) throw new Error(status);
    expect(parsed.metadata.used).toBeGreaterThan(4096);
    expect(parsed.metadata.used).toBeLessThan(4300);
  });

  test("a pool's table comes back with its features, so that a new one can be derived from it", () => {
    const { dm, data, metadata } = pools.kernel;
    pools.pool({ features: ["error_if_no_space", "skip_block_zeroing"], lowWaterMark: 7 });
    const parameters = `${number(metadata)} ${number(data)} 128 7 2 skip_block_zeroing error_if_no_space`;
    expect(dm.table("POOL")).toEqual([line(256 * CHUNK_SECTORS, "thin-pool", parameters)]);
    expect(pools.status("POOL")).toMatch(/ rw (?:no_)?discard_passdown error_if_no_space - \d+$/);
  });

  test("discards that are not passed down, or ignored, are said so", () => {
    const { dm } = pools.kernel;
    pools.pool({ features: ["no_discard_passdown"] });
    expect(pools.status("POOL")).toContain(" no_discard_passdown ");
    expect(errnoOf(() => dm.load("POOL", [pools.poolTable({ features: ["ignore_discard"] })]))).toBe("EINVAL");
    dm.remove("POOL");
    pools.pool({ features: ["ignore_discard"] });
    expect(pools.status("POOL")).toContain(" ignore_discard ");
  });

  test('a device to which nothing was written says "0 -", and only such a one: it decides what may be formatted', async () => {
    const { dm, write } = pools.kernel;
    const pool = pools.pool();
    const thin = pools.newThin(pool, 1);
    expect(pools.status(thin.uuid)).toBe("0 -");
    expect(dm.table(thin.uuid)).toEqual([line(1024 * CHUNK_SECTORS, "thin", `${number(pool)} 1`)]);
    await write(path(thin), 5 * CHUNK_SECTORS * 512, filled(2, 1));
    expect(pools.status(thin.uuid)).toBe(`${2 * CHUNK_SECTORS} ${7 * CHUNK_SECTORS - 1}`);
    expect(parseThinStatus(pools.status(thin.uuid))).toMatchObject({ mappedSectors: 2 * CHUNK_SECTORS });
    expect(pools.status("POOL")).toContain(" 2/256 ");
  });

  test("a held metadata snapshot shows, so that a stale one can be released at start", () => {
    const { dm } = pools.kernel;
    pools.pool();
    dm.message("POOL", "reserve_metadata_snap");
    expect(pools.status("POOL")).toMatch(/^0 \d+\/\d+ 0\/256 \d+ rw /);
    dm.message("POOL", "release_metadata_snap");
    expect(pools.status("POOL")).toMatch(/^0 \d+\/\d+ 0\/256 - rw /);
  });

  test("a listing tells numbers, mapped chunks and the transaction id at which each was made, beside a metadata snapshot and offline", async () => {
    const { dm, tools, metadata, write } = pools.kernel;
    const pool = pools.pool();
    dm.message("POOL", "create_thin 1");
    dm.message("POOL", "set_transaction_id 0 5");
    const thin = pools.newThin(pool, 7);
    await write(path(thin), 0, filled(3, 1));
    dm.message("POOL", "reserve_metadata_snap");
    dm.message("POOL", "create_thin 8");
    const live = await tools.list(metadata.path, { live: true });
    expect(live.map(({ number: n, mappedChunks, transactionId }) => [n, mappedChunks, transactionId])).toEqual([
      [1, 0, 0],
      [7, 3, 5],
    ]);
    dm.message("POOL", "release_metadata_snap");
    await expect(tools.list(metadata.path, { live: true })).rejects.toThrow("thin_dump");
    await expect(tools.list(metadata.path, { live: true, exclusive: true })).rejects.toThrow("thin_ls");
    dm.remove(thin.uuid);
    dm.remove("POOL");
    await tools.check(metadata.path);
    const offline = await tools.list(metadata.path, { live: false });
    expect(offline.map(({ number: n }) => n)).toEqual([1, 7, 8]);
  });

  test("metadata that is in use is neither checked nor listed without a snapshot: the answer would be wrong", async () => {
    const { tools, metadata } = pools.kernel;
    pools.pool();
    await expect(tools.check(metadata.path)).rejects.toThrow("thin_check");
    await expect(tools.list(metadata.path, { live: false })).rejects.toThrow("thin_dump");
  });

  test("each step of a device's making shows: created, loaded, active, suspended", () => {
    const { dm } = pools.kernel;
    const flags = (): readonly boolean[] => {
      const { hasActiveTable, hasInactiveTable, suspended, readOnly } = pools.info("ONE");
      return [hasActiveTable, hasInactiveTable, suspended, readOnly];
    };
    expect(dm.create(`${PREFIX}one`, "ONE")).toMatchObject({ name: `${PREFIX}one`, uuid: "ONE", openCount: 0 });
    expect(flags()).toEqual([false, false, false, false]);
    expect(dm.table("ONE")).toEqual([]);
    dm.load("ONE", [line(8, "error", "")], { readOnly: true });
    expect(flags()).toEqual([false, true, false, false]);
    dm.resume("ONE");
    expect(flags()).toEqual([true, false, false, true]);
    dm.suspend("ONE");
    dm.suspend("ONE");
    dm.load("ONE", [line(16, "error", "")]);
    expect(flags()).toEqual([true, true, true, true]);
    dm.clear("ONE");
    dm.resume("ONE");
    dm.resume("ONE");
    expect(flags()).toEqual([true, false, false, true]);
    expect(dm.table("ONE")).toEqual([line(8, "error", "")]);
    expect(dm.list().filter(({ name }) => name.startsWith(PREFIX))).toMatchObject([{ name: `${PREFIX}one`, uuid: "ONE" }]);
  });
});
