import { describe, expect, test } from "@jest/globals";
import {
  ambiguousSize,
  GiB,
  KiB,
  MiB,
  TiB,
  bytes,
  bytesToSectors,
  chunks,
  chunksToBytes,
  formatBytes,
  formatQuantity,
  metadataBlocks,
  metadataBlocksToBytes,
  parseSize,
  roundDown,
  roundUp,
  sectors,
  sectorsToBytes,
} from "../../src/units.ts";

describe("a size in words", () => {
  test.each([
    ["10Gi", 10 * GiB],
    ["10GiB", 10 * GiB],
    ["10 gib", 10 * GiB],
    ["10 B", 10],
    ["512KiB", 512 * KiB],
    ["1.5Ti", 1.5 * TiB],
    ["0", 0],
    ["1048576", MiB],
    [" 64Ki ", 64 * KiB],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("%s", (text, size) => expect(parseSize(text)).toBe(size));

  test.each([
    "",
    "Gi",
    "-1Gi",
    "1e9",
    "1,5Gi",
    "0.3",
    "0.1Gi",
    "10 apples",
    "10GiBs",
    "10G",
    "10gb",
    "64k",
    "10Bi",
    "0x10",
    "NaN",
    "9007199254740992",
    "8193Ti",
    "10 constructor",
    "10\u0661",
  ])("%j is none, and never taken for another", (text) => expect(parseSize(text)).toBeUndefined());
});

test.each([
  ["10G", '"10G" is ambiguous, a power of 1000 to some and of 1024 to others: write 10Gi for 10 * 2^30, or the bytes'],
  ["64 kb", '"64 kb" is ambiguous, a power of 1000 to some and of 1024 to others: write 64Ki for 64 * 2^10, or the bytes'],
])("%s could be two sizes, and a sentence says so", (text, sentence) => expect(ambiguousSize(text)).toBe(sentence));

test.each(["10Gi", "10GiB", "10", "10 B", "apples", ""])("%j is not ambiguous", (text) => expect(ambiguousSize(text)).toBeUndefined());

describe("a size for people", () => {
  test.each([
    [0, "0 B"],
    [512, "512 B"],
    [1023, "1023 B"],
    [KiB, "1 KiB"],
    [1.5 * GiB, "1.5 GiB"],
    [10 * GiB, "10 GiB"],
    [MiB - 1, "1 MiB"],
    [GiB - 1, "1 GiB"],
    [1023.94 * KiB, "1023.9 KiB"],
    [16 * TiB, "16 TiB"],
    [Number.MAX_SAFE_INTEGER, "8 PiB"],
  ])("%d bytes are %s", (value, text) => expect(formatBytes(value)).toBe(text));

  test.each([
    [0, "0"],
    [1023, "1023"],
    [64 * KiB, "64Ki"],
    [37.5 * GiB, "37.5Gi"],
    [10 * GiB - 1, "9.9Gi"],
    [1024 * GiB - 1, "1023.9Gi"],
    [1234 * GiB, "1.2Ti"],
    [5000 * TiB, "4.8Pi"],
  ])("%d bytes are %s in a table of Kubernetes, which reads it, and never more", (value, text) => {
    expect(formatQuantity(value)).toBe(text);
  });

  test("is understood again when it is whole", () => {
    for (const size of [64 * KiB, 219 * MiB, 10 * GiB, 3 * TiB]) expect(parseSize(formatBytes(size))).toBe(size);
  });
});

test("a quantity that is not whole, or not exact any more, is refused where it is made", () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    for (const make of [bytes, sectors, chunks, metadataBlocks]) expect(() => make(value)).toThrow(RangeError);
  }
  expect(bytes(2 ** 53 - 1)).toBe(2 ** 53 - 1);
});

test("units become each other: a sector is 512 bytes, a metadata block 4 KiB, a chunk what its pool says", () => {
  expect(bytesToSectors(GiB)).toBe(2_097_152);
  expect(sectorsToBytes(sectors(3))).toBe(1536);
  expect(chunksToBytes(chunks(10), bytes(64 * KiB))).toBe(640 * KiB);
  expect(metadataBlocksToBytes(metadataBlocks(4161600))).toBe(17_045_913_600);
  expect(() => bytesToSectors(bytes(513))).toThrow(RangeError);
});

test("rounding never gives less than was asked for, or more than there is", () => {
  const chunk = bytes(64 * KiB);
  for (const value of [0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 10 * GiB - 1]) {
    const up = roundUp(bytes(value), chunk);
    const down = roundDown(bytes(value), chunk);
    expect([up % chunk, down % chunk]).toEqual([0, 0]);
    expect(up >= value && up - value < chunk).toBe(true);
    expect(down <= value && value - down < chunk).toBe(true);
  }
});
