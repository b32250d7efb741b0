import { describe, expect, test } from "@jest/globals";
import type { PoolFigures } from "../../../src/pool/pool-calls.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks } from "../../../src/units.ts";
import { availableBytes } from "../../../src/volumes/capacity.ts";

const CHUNK = bytes(64 * KiB);
const description = { minimumFree: { dataPercent: 10, metadataPercent: 10 }, overcommitRatio: 2 };
/** 10 GiB of data, nothing used; metadata for far more. */
const empty: PoolFigures = {
  state: "rw",
  transactionId: 1,
  chunkSize: CHUNK,
  data: { used: chunks(0), total: chunks((10 * GiB) / CHUNK) },
  metadata: { used: metadataBlocks(100), total: metadataBlocks(10_000) },
  discardPassdown: true,
  queuesWhenFull: true,
};

describe("capacity", () => {
  test("of an empty pool is what lies above the minimum, as many times as it may be promised", () => {
    expect(availableBytes(description, empty, 0)).toBe(18 * GiB);
  });

  test("is what the ratio leaves, once much is promised and little is written", () => {
    expect(availableBytes(description, empty, 15 * GiB)).toBe(5 * GiB);
    expect(availableBytes(description, empty, 30 * GiB)).toBe(0);
  });

  test("is backed by real free space: written snapshots and clones count", () => {
    const written = { ...empty, data: { ...empty.data, used: chunks((8 * GiB) / CHUNK) } };
    expect(availableBytes(description, written, GiB)).toBe(2 * GiB);
  });

  test("is backed by the filesystem below the pool's files, above its reserve", () => {
    const hosts = [100 * GiB, 3 * GiB, GiB, 0].map((freeBytes) => ({ freeBytes: bytes(freeBytes), reserveBytes: GiB }));
    expect(hosts.map((host) => availableBytes(description, { ...empty, host }, 0))).toEqual([18 * GiB, 4 * GiB, 0, 0]);
  });

  test("ends with the metadata: a volume that could not be mapped is not promised", () => {
    const tight = { ...empty, metadata: { used: metadataBlocks(890), total: metadataBlocks(1000) } };
    expect(availableBytes(description, tight, 0)).toBe(10 * 126 * CHUNK * 2);
  });

  test.each(["ro", "out_of_data_space", "needs_check", "Fail", "Error"] as const)("is nothing while the pool is %s", (state) => {
    expect(availableBytes(description, { ...empty, state }, 0)).toBe(0);
  });

  test("is nothing below the minimum of data or of metadata", () => {
    const low = { ...empty, data: { ...empty.data, used: chunks((9.5 * GiB) / CHUNK) } };
    const lowMetadata = { ...empty, metadata: { used: metadataBlocks(9_001), total: metadataBlocks(10_000) } };
    expect(availableBytes(description, low, 0)).toBe(0);
    expect(availableBytes(description, lowMetadata, 0)).toBe(0);
  });

  test("is whole chunks, and a number, also for a ratio that is neither", () => {
    const available = availableBytes({ ...description, overcommitRatio: 1.3 }, empty, 12_345);
    expect(available % CHUNK).toBe(0);
    expect(availableBytes({ ...description, overcommitRatio: 1e9 }, empty, 0)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  });
});
