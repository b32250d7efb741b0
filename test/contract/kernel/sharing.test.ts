import { describe, expect, test } from "@jest/globals";
import { bytes } from "../../../src/units.ts";
import { worldName } from "../choice.ts";
import { CHUNK_BYTES, filled, path, Pools } from "./pools.ts";

describe(`sharing between thin devices on ${worldName}`, () => {
  const pools = Pools.forEachTest();
  const usedChunks = (): string => / (\d+)\/256 /.exec(pools.status("POOL"))?.[1] ?? "";

  /** A thin device with two chunks of ones, and a snapshot of it; both active. */
  async function originAndSnapshot(): Promise<{ readonly origin: string; readonly copy: string }> {
    const { dm, write, slow } = pools.kernel;
    const pool = pools.pool();
    const origin = pools.newThin(pool, 1);
    await write(path(origin), 0, filled(2, 1));
    await slow.suspend(origin.uuid, 10_000).done;
    dm.message("POOL", "create_snap 2 1");
    dm.resume(origin.uuid);
    return { origin: path(origin), copy: path(pools.thin(pool, 2)) };
  }

  test("a snapshot keeps the moment it was taken, and costs nothing until one of the two is written", async () => {
    const { write, read } = pools.kernel;
    const { origin, copy } = await originAndSnapshot();
    expect(usedChunks()).toBe("2");
    await write(origin, 0, filled(1, 2));
    await write(copy, CHUNK_BYTES, filled(1, 3));
    expect(usedChunks()).toBe("4");
    expect((await read(origin, 0, 2 * CHUNK_BYTES)).equals(Buffer.concat([filled(1, 2), filled(1, 1)]))).toBe(true);
    expect((await read(copy, 0, 2 * CHUNK_BYTES)).equals(Buffer.concat([filled(1, 1), filled(1, 3)]))).toBe(true);
  });

  test("a write of a few bytes to a shared chunk copies the rest of it", async () => {
    const { write, read } = pools.kernel;
    const { origin, copy } = await originAndSnapshot();
    await write(copy, 4096, Buffer.alloc(4096, 9));
    const expected = filled(1, 1);
    expected.fill(9, 4096, 8192);
    expect((await read(copy, 0, CHUNK_BYTES)).equals(expected)).toBe(true);
    expect((await read(origin, 0, CHUNK_BYTES)).equals(filled(1, 1))).toBe(true);
  });

  test("an origin is deleted before its snapshots, which lose nothing; the last to go frees the space", async () => {
    const { dm, read } = pools.kernel;
    const { copy } = await originAndSnapshot();
    dm.remove("THIN1");
    dm.message("POOL", "delete 1");
    expect((await read(copy, 0, CHUNK_BYTES)).equals(filled(1, 1))).toBe(true);
    expect(usedChunks()).toBe("2");
    dm.remove("THIN2");
    dm.message("POOL", "delete 2");
    expect(usedChunks()).toBe("0");
  });

  test("thin_ls counts what each owns alone", async () => {
    const { dm, tools, metadata, write } = pools.kernel;
    const { copy } = await originAndSnapshot();
    await write(copy, 0, filled(1, 4));
    dm.message("POOL", "reserve_metadata_snap");
    const listings = await tools.list(metadata.path, { live: true, exclusive: true });
    expect(listings.map(({ number, mappedChunks, exclusiveChunks }) => [number, mappedChunks, exclusiveChunks])).toEqual([
      [1, 2, 1],
      [2, 2, 1],
    ]);
  });

  test("blocks that are given back are the pool's again, save those that a snapshot still has", async () => {
    const { slow, read, write } = pools.kernel;
    const { origin, copy } = await originAndSnapshot();
    await write(origin, 2 * CHUNK_BYTES, filled(3, 5));
    expect(usedChunks()).toBe("5");
    await slow.discard(origin, bytes(0), bytes(1024 * CHUNK_BYTES), 30_000).done;
    expect(usedChunks()).toBe("2");
    expect(pools.status("THIN1")).toBe("0 -");
    expect((await read(origin, 0, CHUNK_BYTES)).equals(filled(1, 0))).toBe(true);
    expect((await read(copy, 0, CHUNK_BYTES)).equals(filled(1, 1))).toBe(true);
  });

  test("new blocks are zeroed: no tenant reads another's old data", async () => {
    const { dm, write, read } = pools.kernel;
    const pool = pools.pool({ chunks: 8, features: ["no_discard_passdown"] });
    const first = pools.newThin(pool, 1, { chunks: 8 });
    await write(path(first), 0, filled(8, 7));
    dm.remove(first.uuid);
    dm.message("POOL", "delete 1");
    const second = pools.newThin(pool, 2, { chunks: 8 });
    for (let chunk = 0; chunk < 8; chunk++) await write(path(second), chunk * CHUNK_BYTES, Buffer.alloc(4096, 1));
    for (let chunk = 0; chunk < 8; chunk++) {
      const rest = await read(path(second), chunk * CHUNK_BYTES + 4096, CHUNK_BYTES - 4096);
      expect(rest.every((byte) => byte === 0)).toBe(true);
    }
  });
});
