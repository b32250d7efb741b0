import { describe, expect, test } from "@jest/globals";
import { leastMetadata } from "../../../../src/config/metadata-size.ts";
import { EXTENT_BYTES, MINIMUM_BYTES, describeLayout, extentsOf, layOut, type LvmLayout, type Room } from "../../../../src/pool/backings/lvm-layout.ts";
import { GiB, KiB, MiB, TiB, bytes, type Bytes } from "../../../../src/units.ts";

const DOCKERS = { thinpPercent: 95, thinpMetaPercent: 1, chunkSize: bytes(512 * KiB) };
const oneDisk = (size: number): Room => ({ data: extentsOf(bytes(size)), metadata: 0 });

function laidOut(room: Room, options: Partial<typeof DOCKERS> = {}): LvmLayout {
  const layout = layOut(room, { ...DOCKERS, ...options });
  if ("refused" in layout) throw new Error(layout.refused);
  return layout;
}
const refusal = (room: Room, options: Partial<typeof DOCKERS> = {}): string | undefined => {
  const layout = layOut(room, { ...DOCKERS, ...options });
  return "refused" in layout ? layout.refused : undefined;
};
const inBytes = (extents: number): Bytes => bytes(extents * EXTENT_BYTES);

const SIZES = [
  GiB,
  1.5 * GiB,
  2 * GiB,
  4 * GiB,
  8 * GiB,
  10 * GiB,
  64 * GiB,
  100 * GiB,
  512 * GiB,
  TiB,
  Math.floor(1.8 * TiB),
  10 * TiB,
  31 * TiB,
  64 * TiB,
  100 * TiB,
];
const CHUNKS = [64, 128, 256, 512, 1024, 16 * 1024, 1024 * 1024].map((size) => bytes(size * KiB));

describe.each(SIZES)("a disk of %d bytes", (size) => {
  const room = oneDisk(size);

  test.each(CHUNKS)("is shared out in chunks of %d bytes, or refused by what its metadata would take", (chunkSize) => {
    const layout = layOut(room, { ...DOCKERS, chunkSize });
    if ("refused" in layout) {
      expect(leastMetadata(inBytes(Math.floor(room.data * 0.95)), chunkSize)).toBeGreaterThan(15.75 * GiB);
      expect(layout.refused).toMatch(/a larger chunkSize takes less/);
      return;
    }
    const { catalog, metadata, spare, data, free, total } = layout;
    expect(catalog + metadata + spare + data + free).toBe(total);
    expect(total).toBe(room.data);
    expect(spare).toBe(metadata);
    expect(Math.min(free, catalog, metadata, data)).toBeGreaterThanOrEqual(0);
    expect(data).toBeGreaterThan(0.8 * total);
    expect(data).toBeLessThanOrEqual(0.95 * total);
    expect(inBytes(catalog)).toBeGreaterThanOrEqual(64 * MiB);
    expect(inBytes(catalog)).toBeLessThanOrEqual(GiB);
    expect(inBytes(metadata)).toBeGreaterThanOrEqual(leastMetadata(inBytes(data), chunkSize));
    expect(inBytes(metadata)).toBeLessThanOrEqual(15.81 * GiB);
    if (free > 0) expect(data).toBe(Math.floor(total * 0.95));
  });

  test("on which another is for metadata keeps all of its own for data, up to its percentage of both", () => {
    const { data, metadata, catalog, total } = laidOut({ ...room, metadata: extentsOf(bytes(40 * GiB)) });
    expect(data).toBe(Math.min(room.data, Math.floor(total * 0.95)));
    expect(catalog + 2 * metadata).toBeLessThanOrEqual(extentsOf(bytes(40 * GiB)));
  });
});

test("the smallest disk is 1 GiB: 91 % of it are data, and nothing is left", () => {
  expect(laidOut(oneDisk(GiB))).toEqual({ total: 255, catalog: 16, metadata: 2, spare: 2, data: 235, free: 0 });
  expect(refusal(oneDisk(MINIMUM_BYTES - EXTENT_BYTES))).toMatch(/its disks have 1016 MiB, and a pool takes at least 1 GiB/);
  expect(refusal({ data: 0, metadata: 0 })).toBeDefined();
});

test("Docker's percentages on 8 GiB, where its own commands left 188 MiB and no room for a catalogue", () => {
  expect(laidOut(oneDisk(8 * GiB))).toEqual({ total: 2047, catalog: 16, metadata: 20, spare: 20, data: 1944, free: 47 });
});

test("what the data may not take is left for extension", () => {
  const { data, free, total } = laidOut(oneDisk(TiB), { thinpPercent: 40 });
  expect(data).toBe(Math.floor(total * 0.4));
  expect(free).toBeGreaterThan(total / 2);
});

test("100 TiB in chunks of 64 KiB cannot be mapped by the most metadata there can be; in chunks of 512 KiB they can", () => {
  expect(refusal(oneDisk(100 * TiB), { chunkSize: bytes(64 * KiB) })).toMatch(
    /its metadata would take .* GiB to map all of its data, and metadata has at most 15.8 GiB/,
  );
  expect(inBytes(laidOut(oneDisk(100 * TiB)).metadata)).toBe(15.75 * GiB);
});

test("metadata whose percentage is too small to map the data gets what that takes", () => {
  const { metadata, data } = laidOut(oneDisk(TiB), { thinpMetaPercent: 0.001, chunkSize: bytes(64 * KiB) });
  expect(inBytes(metadata)).toBeGreaterThanOrEqual(leastMetadata(inBytes(data), bytes(64 * KiB)));
});

test("disks for metadata that are too small are refused with what they would have to hold", () => {
  expect(refusal({ data: extentsOf(TiB), metadata: extentsOf(bytes(100 * MiB)) })).toMatch(/its disks for metadata have .* beside catalogue and spare/);
});

test("percentages that leave no data are refused", () => {
  expect(refusal(oneDisk(GiB), { thinpMetaPercent: 50 })).toMatch(/nothing is left for data/);
});

test("a layout is told in words", () => {
  expect(describeLayout(laidOut(oneDisk(8 * GiB)))).toEqual([
    "catalogue: 64 MiB (0.8 %)",
    "metadata: 80 MiB (1.0 %)",
    "spare: 80 MiB (1.0 %)",
    "data: 7.6 GiB (95.0 %)",
    "left for extension: 188 MiB (2.3 %)",
  ]);
});
