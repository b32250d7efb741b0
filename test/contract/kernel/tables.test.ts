import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { CHUNK_SECTORS, errnoOf, filled, line, number, path, Pools } from "./pools.ts";

describe(`replacing tables on ${worldName}`, () => {
  const pools = Pools.forEachTest();

  test("a pool grows when a longer table is resumed, not before", () => {
    const { dm } = pools.kernel;
    pools.pool({ chunks: 16 });
    dm.load("POOL", [pools.poolTable({ chunks: 32 })]);
    expect(pools.status("POOL")).toContain(" 0/16 ");
    dm.suspend("POOL");
    dm.resume("POOL");
    expect(pools.status("POOL")).toContain(" 0/32 ");
  });

  test("a pool table that is too short loads, and is refused at resume; the old one brings the pool back", async () => {
    const { dm, read, write } = pools.kernel;
    const pool = pools.pool({ chunks: 16 });
    const thin = pools.newThin(pool, 1);
    await write(path(thin), 0, filled(1, 1));
    dm.load("POOL", [pools.poolTable({ chunks: 8 })]);
    dm.suspend("POOL");
    expect(errnoOf(() => dm.resume("POOL"))).toBe("EINVAL");
    expect(pools.info("POOL").suspended).toBe(true);
    expect(errnoOf(() => dm.resume("POOL"))).toBe("EINVAL");
    dm.load("POOL", [pools.poolTable({ chunks: 16 })]);
    dm.resume("POOL");
    expect(pools.info("POOL").suspended).toBe(false);
    expect((await read(path(thin), 0, 4096)).every((byte) => byte === 1)).toBe(true);
  });

  test("a volume grows under its user, and keeps what it holds", async () => {
    const { read, write, hold } = pools.kernel;
    const pool = pools.pool();
    const thin = pools.newThin(pool, 1, { chunks: 4 });
    const release = hold(path(thin));
    await write(path(thin), 0, filled(1, 1));
    pools.reload(thin.uuid, line(8 * CHUNK_SECTORS, "thin", `${number(pool)} 1`));
    await write(path(thin), 7 * CHUNK_SECTORS * 512, filled(1, 2));
    expect((await read(path(thin), 0, 4096)).every((byte) => byte === 1)).toBe(true);
    release();
  });

  test("blank metadata silently becomes a new, empty pool: why the driver looks first", () => {
    const { dm, metadata, blank } = pools.kernel;
    pools.pool();
    dm.message("POOL", "create_thin 1");
    dm.message("POOL", "set_transaction_id 0 9");
    dm.remove("POOL");
    blank(metadata.path);
    pools.pool();
    expect(pools.status("POOL")).toMatch(/^0 \d+\/\d+ 0\/256 /);
    expect(errnoOf(() => dm.message("POOL", "delete 1"))).toBe("ENODATA");
  });

  test("a pool comes back as it was when its device is made again", async () => {
    const { dm, write, read } = pools.kernel;
    const thin = pools.newThin(pools.pool(), 1);
    await write(path(thin), 0, filled(1, 1));
    dm.message("POOL", "set_transaction_id 0 3");
    dm.remove(thin.uuid);
    dm.remove("POOL");
    const again = pools.thin(pools.pool(), 1);
    expect(pools.status("POOL")).toMatch(/^3 \d+\/\d+ 1\/256 /);
    expect((await read(path(again), 0, 4096)).every((byte) => byte === 1)).toBe(true);
  });
});
