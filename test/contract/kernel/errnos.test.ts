import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { CHUNK_SECTORS, errnoOf, line, number, path, Pools, PREFIX } from "./pools.ts";

const HIGHEST = 2 ** 24 - 1;

describe(`refusals of ${worldName}: what recovery decides by`, () => {
  const pools = Pools.forEachTest();

  test("a device that is not there is ENXIO, so that gone is told from refused", () => {
    const { dm } = pools.kernel;
    expect(dm.info("NOBODY")).toBeUndefined();
    expect(errnoOf(() => dm.remove("NOBODY"))).toBe("ENXIO");
    expect(errnoOf(() => dm.message("NOBODY", "delete 1"))).toBe("ENXIO");
    expect(errnoOf(() => dm.load("NOBODY", [line(8, "error", "")]))).toBe("ENXIO");
    expect(errnoOf(() => dm.clear("NOBODY"))).toBe("ENXIO");
    expect(errnoOf(() => dm.suspend("NOBODY"))).toBe("ENXIO");
    expect(errnoOf(() => dm.resume("NOBODY"))).toBe("ENXIO");
    expect(errnoOf(() => dm.table("NOBODY"))).toBe("ENXIO");
    expect(errnoOf(() => dm.status("NOBODY"))).toBe("ENXIO");
  });

  test("a name or uuid that is taken is EBUSY: two drivers never have one volume twice", () => {
    const { dm } = pools.kernel;
    dm.create(`${PREFIX}one`, "ONE");
    expect(errnoOf(() => dm.create(`${PREFIX}one`, "OTHER"))).toBe("EBUSY");
    expect(errnoOf(() => dm.create(`${PREFIX}other`, "ONE"))).toBe("EBUSY");
    expect(errnoOf(() => dm.create(`${PREFIX}with/slash`, "OTHER"))).toBe("EINVAL");
  });

  test("a thin number that is taken is EEXIST, whoever made it", () => {
    const { dm } = pools.kernel;
    pools.pool();
    dm.message("POOL", "create_thin 1");
    expect(errnoOf(() => dm.message("POOL", "create_thin 1"))).toBe("EEXIST");
    expect(errnoOf(() => dm.message("POOL", "create_snap 1 1"))).toBe("EEXIST");
  });

  test("a thin number that nobody made is ENODATA, to delete, to copy and to activate", () => {
    const { dm } = pools.kernel;
    const pool = pools.pool();
    expect(errnoOf(() => dm.message("POOL", "delete 1"))).toBe("ENODATA");
    expect(errnoOf(() => dm.message("POOL", "create_snap 2 1"))).toBe("ENODATA");
    expect(errnoOf(() => pools.thin(pool, 1))).toBe("ENODATA");
  });

  test("a thin device in use is not deleted: EBUSY, until it is removed", () => {
    const { dm } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    expect(errnoOf(() => dm.message("POOL", "delete 1"))).toBe("EBUSY");
    dm.remove(thin.uuid);
    dm.message("POOL", "delete 1");
  });

  test("thin numbers have 24 bits, and the last of them works", () => {
    const { dm } = pools.kernel;
    pools.pool();
    dm.message("POOL", `create_thin ${HIGHEST}`);
    expect(errnoOf(() => dm.message("POOL", `create_thin ${HIGHEST + 1}`))).toBe("EINVAL");
  });

  test("the transaction id moves only from where it is: two writers cannot both believe that they were first", () => {
    const { dm } = pools.kernel;
    pools.pool();
    dm.message("POOL", "set_transaction_id 0 1");
    expect(errnoOf(() => dm.message("POOL", "set_transaction_id 0 2"))).toBe("EINVAL");
    expect(pools.status("POOL")).toMatch(/^1 /);
  });

  test("there is one metadata snapshot at a time: EBUSY for a second, EINVAL to release none", () => {
    const { dm } = pools.kernel;
    pools.pool();
    dm.message("POOL", "reserve_metadata_snap");
    expect(errnoOf(() => dm.message("POOL", "reserve_metadata_snap"))).toBe("EBUSY");
    dm.message("POOL", "release_metadata_snap");
    expect(errnoOf(() => dm.message("POOL", "release_metadata_snap"))).toBe("EINVAL");
  });

  test("messages that the pool does not know, or with the wrong arguments, are EINVAL", () => {
    const { dm } = pools.kernel;
    pools.pool();
    for (const text of ["no_such_message", "create_thin", "create_thin x", "delete 1 2", "@no_such_message"]) {
      expect([text, errnoOf(() => dm.message("POOL", text))]).toEqual([text, "EINVAL"]);
    }
  });

  test("a pool is not removed from under its volumes, nor a volume from under its user", () => {
    const { dm, hold } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    expect(errnoOf(() => dm.remove("POOL"))).toBe("EBUSY");
    const release = hold(path(thin));
    expect(errnoOf(() => dm.remove(thin.uuid))).toBe("EBUSY");
    release();
    dm.remove(thin.uuid);
    dm.remove("POOL");
  });

  test("no volume is activated while its pool is suspended", () => {
    const { dm } = pools.kernel;
    const pool = pools.pool();
    dm.message("POOL", "create_thin 1");
    dm.suspend("POOL");
    expect(errnoOf(() => pools.thin(pool, 1))).toBe("EINVAL");
    dm.resume("POOL");
    pools.thin(pool, 1);
  });

  test("chunks are 64 KiB to 1 GiB in steps of 64 KiB", () => {
    const { data, metadata } = pools.kernel;
    for (const chunkSectors of [64, 129, 192, 2 ** 21 + 128]) {
      const table = line(2 ** 22, "thin-pool", `${number(metadata)} ${number(data)} ${chunkSectors} 0 0`);
      expect([chunkSectors, errnoOf(() => pools.device("pool", [table]))]).toEqual([chunkSectors, "EINVAL"]);
    }
    pools.device("pool", [line(2 ** 21, "thin-pool", `${number(metadata)} ${number(data)} ${2 ** 21} 0 0`)]);
  });

  test("a second pool device over one pool's metadata is refused", () => {
    pools.pool();
    expect(errnoOf(() => pools.device("second", [pools.poolTable()]))).toBe("EBUSY");
  });

  test("the size of chunks is the metadata's for life", () => {
    const { dm, data, metadata } = pools.kernel;
    pools.pool();
    dm.remove("POOL");
    const table = line(256 * CHUNK_SECTORS, "thin-pool", `${number(metadata)} ${number(data)} ${2 * CHUNK_SECTORS} 0 0`);
    expect(errnoOf(() => pools.device("pool", [table]))).toBe("EINVAL");
  });
});
