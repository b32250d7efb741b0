import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { CHUNK_BYTES, errnoOfPromise, filled, path, Pools, until } from "./pools.ts";

describe(`a full pool on ${worldName}`, () => {
  const pools = Pools.forEachTest();

  test("one that fails writes fails those that need space, and serves all others", async () => {
    const { write, read } = pools.kernel;
    const thin = pools.newThin(pools.pool({ chunks: 4, features: ["error_if_no_space"] }), 1);
    await write(path(thin), 0, filled(4, 1));
    expect(["ENOSPC", "EIO"]).toContain(await errnoOfPromise(write(path(thin), 4 * CHUNK_BYTES, filled(1, 2))));
    expect(pools.status("POOL")).toMatch(/ 4\/4 - out_of_data_space (?:no_)?discard_passdown error_if_no_space - /);
    await write(path(thin), 0, filled(1, 3));
    expect((await read(path(thin), 0, 4096)).every((byte) => byte === 3)).toBe(true);
  });

  test("a deletion makes it writable again", async () => {
    const { dm, write } = pools.kernel;
    const pool = pools.pool({ chunks: 4, features: ["error_if_no_space"] });
    const [thin, other] = [pools.newThin(pool, 1), pools.newThin(pool, 2)];
    await write(path(other), 0, filled(2, 1));
    await errnoOfPromise(write(path(thin), 0, filled(3, 1)));
    expect(pools.status("POOL")).toContain(" out_of_data_space ");
    dm.remove(other.uuid);
    dm.message("POOL", "delete 2");
    expect(pools.status("POOL")).toMatch(/ rw (?:no_)?discard_passdown error_if_no_space - /);
    await write(path(thin), 0, filled(3, 1));
  });

  test("new volumes are made in a full pool, and cost nothing", async () => {
    const { dm, write } = pools.kernel;
    const thin = pools.newThin(pools.pool({ chunks: 2, features: ["error_if_no_space"] }), 1);
    await errnoOfPromise(write(path(thin), 0, filled(3, 1)));
    dm.message("POOL", "create_thin 2");
    dm.message("POOL", "delete 2");
  });

  test("one that queues keeps its writers waiting, and they lose nothing when it grows in time", async () => {
    const { write, read } = pools.kernel;
    const thin = pools.newThin(pools.pool({ chunks: 4 }), 1);
    const writing = write(path(thin), 0, filled(6, 1));
    await until(() => pools.status("POOL").includes(" out_of_data_space "));
    pools.reload("POOL", pools.poolTable({ chunks: 16 }));
    await writing;
    expect(pools.status("POOL")).toMatch(/ 6\/16 - rw /);
    expect((await read(path(thin), 0, 6 * CHUNK_BYTES)).equals(filled(6, 1))).toBe(true);
  });
});
