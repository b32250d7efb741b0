import { expect, test } from "@jest/globals";
import type { VolumeRecord } from "../../../../src/catalog/records.ts";
import { hasCopies, MappedVolumes } from "../../../../src/pool/mapped-volumes.ts";
import { freeMetadata, lacksForAnyCopy, metadataForCopies, requireMetadataForCopies } from "../../../../src/pool/care/metadata-for-copies.ts";
import type { PoolFigures } from "../../../../src/pool/pool-calls.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks, MiB } from "../../../../src/units.ts";
import { HEALTHY, snapshotRecord, volumeRecord } from "../../records.ts";

const TiB = 1024 * GiB;

function figures(dataBytes: number, usedBytes: number, chunkSize = 64 * KiB): PoolFigures {
  return {
    ...HEALTHY,
    chunkSize: bytes(chunkSize),
    data: { used: chunks(usedBytes / chunkSize), total: chunks(dataBytes / chunkSize) },
    metadata: { used: metadataBlocks(1024), total: metadataBlocks(4096) },
  };
}

test.each([
  [64 * KiB, 1.34, 1.36],
  [128 * KiB, 0.67, 0.68],
  [512 * KiB, 0.167, 0.17],
])("volumes that together map a pool of 1 TiB in chunks of %d bytes can take so much, as docs/pools.md says", (chunkSize, least, most) => {
  const all = metadataForCopies({ volumes: 1, mappedBytes: TiB }, figures(TiB, TiB, chunkSize));
  expect(all / GiB).toBeGreaterThan(least);
  expect(all / GiB).toBeLessThan(most);
  // What is not mapped yet is still free: it comes to the same.
  expect(metadataForCopies({ volumes: 1, mappedBytes: TiB / 4 }, figures(TiB, TiB / 4, chunkSize))).toBe(all);
});

test("a thousandth of the data is too little for any copy, a 500th is not, at chunks of 64 KiB; a quarter of it does at 256 KiB", () => {
  const sizes = (part: number, chunkSize = 64 * KiB) => ({ dataBytes: TiB, metadataBytes: TiB / part, chunkSize });
  expect(lacksForAnyCopy(sizes(1000))).toBeGreaterThan(250 * MiB);
  expect(lacksForAnyCopy(sizes(500))).toBe(0);
  expect(lacksForAnyCopy(sizes(2000, 256 * KiB))).toBe(0);
  // By as much as the pool's own admission has it: the kernel holds 16 MiB back, and nothing is used.
  const empty = { ...figures(TiB, 0), metadata: { used: metadataBlocks(4096), total: metadataBlocks(262_144) } };
  const lacks = lacksForAnyCopy({ dataBytes: TiB, metadataBytes: GiB, chunkSize: 64 * KiB });
  expect(metadataForCopies({ volumes: 1, mappedBytes: 0 }, empty) - freeMetadata(empty)).toBe(lacks);
});

test("a copy is refused where metadata, with what it can be given, would not do for whatever its volumes write", () => {
  const pool = figures(64 * GiB, 16 * GiB);
  expect(freeMetadata(pool)).toBe(12 * MiB);
  const writable = { volumes: 1, mappedBytes: 16 * GiB };
  expect(() => requireMetadataForCopies("fast", pool, writable, bytes(80 * MiB))).not.toThrow();
  expect(() => requireMetadataForCopies("fast", pool, writable, bytes(64 * MiB))).toThrow(
    /has 76 MiB of metadata left, with what it can still be given, and its volumes could take 8\d(\.\d)? MiB by writing anew what a copy shares/,
  );
});

const volume = (id: string, sizeBytes: number, origin: VolumeRecord["origin"] = { kind: "blank" }): VolumeRecord =>
  volumeRecord(id, { sizeBytes: bytes(sizeBytes), origin });
const snapshot = snapshotRecord("snap-a", { sizeBytes: bytes(1000) });

test("what volumes map is known from what is told; snapshots are never written; of what was never seen no more is mapped than the pool has used", () => {
  const mapped = new MappedVolumes();
  const thins = [volume("vol-a", 100), volume("vol-b", 1000), snapshot];
  expect(mapped.writable(thins, 300)).toEqual({ volumes: 2, mappedBytes: 300 });
  mapped.hear({
    kind: "mapped",
    mapped: new Map([
      ["vol-a", bytes(70)],
      ["snap-a", bytes(60)],
    ]),
  });
  expect(mapped.writable(thins, 300)).toEqual({ volumes: 2, mappedBytes: 370 });
  mapped.hear({
    kind: "measured",
    measurement: { at: new Date(0), exclusive: false, thins: new Map([["vol-b", { mappedBytes: bytes(20), exclusiveBytes: undefined }]]) },
  });
  mapped.note("vol-b", undefined);
  expect(mapped.writable(thins, 300)).toEqual({ volumes: 2, mappedBytes: 90 });
  expect(mapped.writable(thins, 300, [mapped.of("snap-a"), undefined])).toEqual({ volumes: 4, mappedBytes: 450 });
  mapped.hear({ kind: "thin-gone", id: "vol-b" });
  expect(mapped.of("vol-b")).toBeUndefined();
});

test("what shares chunks: snapshots, and volumes made of something", () => {
  expect(hasCopies([volume("vol-a", 1)])).toBe(false);
  expect(hasCopies([volume("vol-a", 1), snapshot])).toBe(true);
  expect(hasCopies([volume("vol-a", 1, { kind: "volume", id: "vol-z" })])).toBe(true);
});
