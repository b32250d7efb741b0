import { describe, expect, test } from "@jest/globals";
import { globMatches } from "../../../src/config/claims.ts";
import { GiB, KiB } from "../../../src/units.ts";
import { complaints, loopPool, parse } from "./document.ts";

const directLvm = (options: object = {}, pool: object = {}): object => ({
  name: "disks",
  backing: { directLvm: { devices: ["/dev/disk/by-id/nvme-*"], ...options } },
  ...pool,
});
const existing = (name: string, pool: string): object => ({ name, backing: { existing: { pool } } });
const devices = (data: string, metadata: string): object => ({ name: "two", backing: { devices: { data, metadata } } });
const backingOf = (pool: object) => parse({ pools: [pool] }).pools[0]?.backing;

describe("whole disks", () => {
  test("have Docker's shares, a group called after the pool, and overwrite nothing", () => {
    expect(backingOf(directLvm())).toEqual({
      kind: "directLvm",
      devices: ["/dev/disk/by-id/nvme-*"],
      metadataDevices: [],
      volumeGroup: "dmthin-disks",
      thinpPercent: 95,
      thinpMetaPercent: 1,
      force: false,
    });
  });

  test("keep what was said", () => {
    const said = { devices: ["/dev//sdb", "/dev/sdc"], metadataDevices: ["/dev/nvme?n1"], volumeGroup: "vg_1", thinpPercent: "98.5%", force: true };
    expect(backingOf(directLvm({ ...said, thinpMetaPercent: "2%" }))).toEqual({
      kind: "directLvm",
      ...said,
      devices: ["/dev/sdb", "/dev/sdc"],
      thinpPercent: 98.5,
      thinpMetaPercent: 2,
    });
  });
});

test("chunks are small everywhere, unless it is said", () => {
  const pools = [loopPool(), directLvm(), directLvm({ devices: ["/dev/sdb"], volumeGroup: "other" }, { name: "said", chunkSize: "128Ki" })];
  expect(parse({ pools }).pools.map(({ chunkSize }) => chunkSize)).toEqual([64 * KiB, 64 * KiB, 128 * KiB]);
});

test("blocks of deleted volumes stay on disks", () => {
  expect(parse({ pools: [directLvm(), existing("made", "vg/pool")] }).pools.map(({ discardOnDelete }) => discardOnDelete)).toEqual([false, false]);
});

test("a thin pool that exists is named by its group, or as a device", () => {
  expect(backingOf(existing("made", "vg-1/pool"))).toEqual({ kind: "existing", pool: "vg-1/pool" });
  expect(backingOf(existing("made", "docker-253:0-pool"))).toEqual({ kind: "existing", pool: "docker-253:0-pool" });
});

test("a data file grows as far as it was told", () => {
  expect(backingOf(loopPool({}, { dataSize: "10Gi", maximumDataSize: "40Gi", hostReserve: 0 }))).toMatchObject({ maximumDataSize: 40 * GiB, hostReserve: 0 });
});

test("filesystems are trimmed weekly, as often as is said, or never", () => {
  const trims = [{}, { interval: "2h", atOnce: 4 }, { interval: "never" }].map((trim) => parse({ pools: [loopPool({ trim })] }).pools[0]?.trim);
  expect(trims).toEqual([{ intervalMs: 604_800_000, atOnce: 1 }, { intervalMs: 7_200_000, atOnce: 4 }, undefined]);
});

describe("a backing that is wrong", () => {
  const cases: readonly (readonly [string, readonly object[], string])[] = [
    ["no disk", [directLvm({ devices: [] })], "pools[0].backing.directLvm.devices: at least one disk is needed"],
    [
      "disks by a pattern of directories",
      [directLvm({ devices: ["/dev/*/a"] })],
      'pools[0].backing.directLvm.devices[0]: "/dev/*/a": "*" and "?" may stand in the last part only',
    ],
    [
      "a disk for data and for metadata",
      [directLvm({ devices: ["/dev/sdb"], metadataDevices: ["/dev/sdb"] })],
      "pools[0].backing.directLvm.metadataDevices[0]: /dev/sdb is in use already: pools[0].backing.directLvm.devices[0]",
    ],
    [
      "a disk for metadata that the data's pattern has too",
      [directLvm({ devices: ["/dev/sd?"], metadataDevices: ["/dev/sdb"] })],
      "pools[0].backing.directLvm.metadataDevices[0]: /dev/sdb is also /dev/sd?: it is in use already: pools[0].backing.directLvm.devices[0]",
    ],
    [
      "a disk of two pools",
      [directLvm({ devices: ["/dev/sdb"] }), devices("/dev/sdb", "/dev/sdc")],
      "pools[1].backing.devices.data: /dev/sdb is in use already: pools[0].backing.directLvm.devices[0]",
    ],
    [
      "a volume group of two pools",
      [directLvm({ devices: ["/dev/sdb"] }), directLvm({ devices: ["/dev/sdc"], volumeGroup: "dmthin-disks" }, { name: "more" })],
      "pools[1].backing.directLvm.volumeGroup: dmthin-disks is in use already: pools[0].backing.directLvm.volumeGroup",
    ],
    [
      "one thin pool by both its names",
      [existing("one", "my-vg/pool"), existing("two", "my--vg-pool")],
      "pools[1].backing.existing.pool: my--vg-pool is also my-vg/pool: it is in use already: pools[0].backing.existing.pool",
    ],
    [
      "a thin pool in a group that the driver makes",
      [directLvm(), existing("made", "dmthin-disks/thin")],
      "pools[1].backing.existing.pool: dmthin-disks is the volume group of pools[0]",
    ],
    [
      "a chunk size for a pool that has one",
      [{ name: "made", chunkSize: "64Ki", backing: { existing: { pool: "vg/pool" } } }],
      "pools[0].chunkSize: a pool that exists has its chunk size already, which is taken from it: leave this out",
    ],
    [
      "more than there is",
      [directLvm({ thinpPercent: "95%", thinpMetaPercent: "3%" })],
      "pools[0].backing.directLvm.thinpPercent: 95% for data, and 3% each for metadata and its spare, are more than there is: at most 94%",
    ],
    [
      "all of it for data",
      [directLvm({ thinpPercent: "100%" })],
      'pools[0].backing.directLvm.thinpPercent: "100%" is not a percentage: write it as "10%", from 1% to 99%',
    ],
    [
      "a threshold that LVM would not take",
      [directLvm({}, { autoextendThreshold: "40%" })],
      'pools[0].autoextendThreshold: "40%" is not a whole percentage: write it as "50%", from 50% to 100%',
    ],
    [
      "half a percent of growth",
      [directLvm({}, { autoextendPercent: "1.5%" })],
      'pools[0].autoextendPercent: "1.5%" is not a whole percentage: write it as "10%", from 1% to 100%',
    ],
    [
      "a group's name that LVM refuses",
      [directLvm({ volumeGroup: "-a" })],
      'pools[0].backing.directLvm.volumeGroup: "-a" is not a name for a volume group: letters, digits, "+", "_", "." and "-" inside',
    ],
    [
      "a thin pool by its path",
      [existing("made", "/dev/vg/pool")],
      'pools[0].backing.existing.pool: "/dev/vg/pool" is neither "group/pool" nor the name of a device-mapper device',
    ],
    [
      "a thin pool by a name that climbs",
      [existing("made", "vg/..")],
      'pools[0].backing.existing.pool: "vg/.." is neither "group/pool" nor the name of a device-mapper device',
    ],
    [
      "a file that may grow to less than it is",
      [loopPool({}, { maximumDataSize: "50Gi" })],
      "pools[0].backing.loop.maximumDataSize: 50 GiB is less than dataSize, 100 GiB",
    ],
    [
      "more than the kernel's metadata can map",
      [loopPool({}, { maximumDataSize: "100Ti" })],
      "pools[0].chunkSize: 100 TiB in chunks of 64 KiB needs 50.8 GiB of metadata, and the kernel takes at most 15.9 GiB: at least 256 KiB",
    ],
    ["a choice that is none", [loopPool({ whenFull: "wait" })], 'pools[0].whenFull: "wait" is none of auto, queue, error'],
    [
      "trimming all the time",
      [loopPool({ trim: { interval: "1s" } })],
      'pools[0].trim.interval: "1s" is not a duration from 60s to 31622400s: use a number with ms, s, m, h or d',
    ],
  ];
  test.each(cases)("%s", (_, pools, complaint) => {
    expect(complaints({ pools })).toEqual([complaint]);
  });
});

test("more than one pool may lie on disks that a pattern could not have", () => {
  const pools = [directLvm({ devices: ["/dev/disk/by-id/nvme-A*"] }), directLvm({ devices: ["/dev/disk/by-id/nvme-B1"] }, { name: "b" })];
  expect(complaints({ pools })).toEqual([]);
});

test("a disk may be named beside a pattern that finds it too", () => {
  expect(complaints({ pools: [directLvm({ devices: ["/dev/sdb", "/dev/sd?", "/dev/sdb"] })] })).toEqual([]);
});

test("a pattern is the shell's, and stays in its directory", () => {
  expect(globMatches("/dev/sd?", "/dev/sdb")).toBe(true);
  expect(globMatches("/dev/*", "/dev/disk/by-id")).toBe(false);
  expect(globMatches("/dev/a.b*", "/dev/aXb1")).toBe(false);
  expect(globMatches("/dev/sdb", "/dev/sdb")).toBe(false);
});
