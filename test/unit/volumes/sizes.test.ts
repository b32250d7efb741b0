import { describe, expect, test } from "@jest/globals";
import { bytes, GiB, KiB, MiB } from "../../../src/units.ts";
import { expandedSize, minimumVolumeBytes, newVolumeSize, sizeDifference, type NewSizeBounds } from "../../../src/volumes/sizes.ts";

const CHUNK = bytes(64 * KiB);
const bounds: NewSizeBounds = { chunkSize: CHUNK, minimumBytes: CHUNK, maximumBytes: bytes(100 * GiB), defaultBytes: bytes(10 * GiB), sourceBytes: undefined };
const range = (required: bigint | number, limit?: bigint | number) => ({
  requiredBytes: BigInt(required),
  limitBytes: limit === undefined ? undefined : BigInt(limit),
});
const refused = (reason: RegExp) =>
  expect.objectContaining({ facts: expect.objectContaining({ code: "out-of-range", reason: expect.stringMatching(reason) }) });

describe("a new volume's size", () => {
  test.each([
    ["nothing asked: the pool's default", range(0), {}, 10 * GiB],
    ["nothing asked, a limit below the default: the limit", range(0, GiB), {}, GiB],
    ["one byte: one chunk", range(1), {}, CHUNK],
    ["whole chunks: exactly that", range(GiB), {}, GiB],
    ["not a multiple of a sector: the next chunk", range(GiB + 1), {}, GiB + CHUNK],
    ["below what the filesystem needs: what it needs", range(MiB), { minimumBytes: bytes(300 * MiB) }, 300 * MiB],
    ["exact, as required and limit", range(GiB, GiB), {}, GiB],
    ["the whole pool's promise", range(100 * GiB), {}, 100 * GiB],
    ["a copy of which nothing is asked: as its source", range(0), { sourceBytes: GiB }, GiB],
    ["a copy whose claim asked for less than its source really has: as its source", range(GiB - 1), { sourceBytes: GiB }, GiB],
    ["the same within a limit", range(GiB - 1, 2 * GiB), { sourceBytes: GiB }, GiB],
    ["a copy larger than its source", range(2 * GiB), { sourceBytes: GiB }, 2 * GiB],
  ] as const)("%s", (_, asked, change, expected) => {
    expect(newVolumeSize(asked, { ...bounds, ...change })).toBe(expected);
  });

  test.each([
    ["2^63, as it comes off the wire", range(-(2n ** 63n)), {}, /whole numbers/],
    ["2^63 - 1", range(2n ** 63n - 1n), {}, /largest volume/],
    ["above the pool's maximum", range(100 * GiB + 1), {}, /largest volume/],
    ["a limit below what is required", range(2 * GiB, GiB), {}, /below what is required/],
    ["no whole number of chunks within the limit", range(GiB + 1, GiB + 2), {}, /whole chunks/],
    ["a limit below one chunk", range(0, 1), {}, /below 64 KiB/],
    ["a limit below the filesystem's minimum", range(MiB, 2 * MiB), { minimumBytes: bytes(300 * MiB) }, /300 MiB/],
    ["a limit below the source's size", range(MiB, 512 * MiB), { sourceBytes: GiB }, /its source/],
    ["a default larger than the pool can hold", range(0), { defaultBytes: bytes(200 * GiB) }, /largest volume/],
  ] as const)("refused: %s", (_, asked, change, reason) => {
    expect(() => newVolumeSize(asked, { ...bounds, ...change })).toThrow(refused(reason));
  });

  test("asked for again, it is the same: a retry is not another volume", () => {
    const asked = range(GiB + 12_345);
    expect(sizeDifference(asked, newVolumeSize(asked, bounds))).toBeUndefined();
  });
});

describe("an expansion", () => {
  test("answers exactly what was asked when that is whole chunks", () => {
    expect(expandedSize(range(3 * GiB), bytes(GiB), bounds)).toBe(3 * GiB);
  });

  test("never shrinks: less than now is success with the size now", () => {
    expect(expandedSize(range(MiB), bytes(GiB), bounds)).toBe(GiB);
    expect(expandedSize(range(GiB), bytes(GiB), bounds)).toBe(GiB);
  });

  test("to what the pool can never hold is refused, so that the user may ask for less", () => {
    expect(() => expandedSize(range(101 * GiB), bytes(GiB), bounds)).toThrow(refused(/largest volume/));
    expect(() => expandedSize(range(0, MiB), bytes(GiB), bounds)).toThrow(refused(/no volume shrinks/));
    expect(() => expandedSize(range(-1), bytes(GiB), bounds)).toThrow(refused(/whole numbers/));
  });
});

test("a volume of the same name and another size is another volume", () => {
  expect(sizeDifference(range(2 * GiB), bytes(GiB))).toMatch(/at least 2 GiB/);
  expect(sizeDifference(range(0, MiB), bytes(GiB))).toMatch(/at most 1 MiB/);
  expect(sizeDifference(range(0), bytes(GiB))).toBeUndefined();
});

test("the smallest volume is whole chunks and fits its filesystem", () => {
  expect(minimumVolumeBytes(CHUNK, undefined)).toBe(CHUNK);
  expect(minimumVolumeBytes(bytes(7 * MiB), bytes(300 * MiB))).toBe(301 * MiB);
});
