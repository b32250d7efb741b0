import { describe, expect, test } from "@jest/globals";
import type { PoolInfo } from "../../../src/cli/driver-info.ts";
import { printPool, printPoolBriefly } from "../../../src/cli/print-pool.ts";
import type { Paint } from "../../../src/cli/terminal.ts";
import { GiB, MiB } from "../../../src/units.ts";
import { fast, figures, refused } from "./pools.ts";

const plain: Paint = (_, text) => text;
const NOW = Date.UTC(2026, 0, 1);
const print = (pool: PoolInfo): string => printPool(pool, plain, NOW);
const orphan = (number: number) => ({ number, mappedBytes: MiB, transactionId: 1 });
/** As one line, however it was broken. */
const flat = (pool: PoolInfo): string => print(pool).replaceAll(/\s+/g, " ");

test("a healthy pool at a glance", () => {
  expect(print(fast)).toBe(
    `fast  (default)                                                        ready, rw
  backing       loop: two files in /var/lib/dmthin/fast
  data          ████████░░░░░░░░░░  42 %  42 GiB of 100 GiB, 58 GiB free
  metadata      ██░░░░░░░░░░░░░░░░  11 %  24 MiB of 219 MiB, 195 MiB free
  minimum free  10 GiB of data, 22 MiB of metadata
  room to grow  50 GiB of data or 1 GiB of metadata; at 80 % of data, by 20 %
  last extended data from 80 GiB to 100 GiB, 5 min ago
  pool device   /dev/dm-3, dmthin-fast-pool
  data on       /dev/loop0, /var/lib/dmthin/fast/data.img
  metadata on   /dev/loop1, /var/lib/dmthin/fast/metadata.img
  chunks        64 KiB, zeroed before use
  volumes       12, snapshots 3, group snapshots 1
  promised      120 GiB, 1.2 times the pool (at most 10 times)
  new volumes   10 GiB and ext4 when nothing else is asked for
  when full     writes wait for room, a minute by default (auto)
  discards      passed down to the disk; volumes are discarded before they are
                deleted; filesystems are trimmed every 7 d
  deferred      removal and deletion, while a device is held open; no deletions
                wait
  transaction   57
  orphans       none
  events        5 min ago: its data was made larger, from 80 GiB to 100 GiB`,
  );
});

describe("what somebody has to do is said, with what to do", () => {
  test("a refused pool: why, and the remedy", () => {
    expect(flat(refused)).toContain("refused");
    expect(flat(refused)).toContain(
      "! It was refused and is left alone: its superblock is blank, and the pool was formatted before. ! To do: restore the metadata device",
    );
    expect(flat(refused)).not.toContain("yet");
  });
  test("a refused pool of somebody else's making has chunks that nobody has read", () => {
    expect(flat({ ...refused, backing: { existing: { pool: "vg/thin" } } })).toContain("chunks not known: the pool is not used");
  });
  test("room that data and metadata have each for itself is told of both", () => {
    const directLvm = { volumeGroup: "vg", devices: ["/dev/sdb"], metadataDevices: ["/dev/sdc"] };
    expect(flat({ ...fast, backing: { directLvm } })).toContain("room to grow 50 GiB of data, 1 GiB of metadata;");
    expect(flat({ ...fast, backing: { directLvm: { ...directLvm, metadataDevices: [] } } })).toContain("50 GiB of data or 1 GiB of metadata;");
  });
  test("which disks the pool has, and which it leaves out and why; of a pool that was refused too", () => {
    const disks = {
      memberDisks: ["/dev/sdb", "/dev/sdc"],
      excludedDisks: [
        { path: "/dev/sdd", reason: "it holds xfs" },
        { path: "/dev/sde", reason: "it is not there" },
      ],
    };
    const backing = { directLvm: { volumeGroup: "vg", devices: ["/dev/sd?"], metadataDevices: [] } };
    const told = "backing directLvm: volume group vg of /dev/sd? disks /dev/sdb, /dev/sdc left out /dev/sdd: it holds xfs /dev/sde: it is not there";
    expect(flat({ ...fast, backing, ...disks })).toContain(told);
    expect(flat({ ...refused, backing, ...disks, memberDisks: [] })).toContain("vg of /dev/sd? left out /dev/sdd: it holds xfs");
    expect(flat(fast)).not.toContain("left out");
  });
  test("less free than the minimum, of data or of metadata", () => {
    const data = { used: 91 * GiB, total: 100 * GiB, available: 9 * GiB, minimumFree: 10 * GiB };
    const metadata = { used: 200 * MiB, total: 219 * MiB, available: 19 * MiB, minimumFree: 22 * MiB };
    expect(flat(figures({ data }))).toContain("! Less data space is free than its minimum: no new volumes and snapshots");
    expect(flat(figures({ metadata }))).toContain("! Less metadata space is free than its minimum");
    expect(flat(figures({ data: { ...data, used: 90 * GiB, available: 10 * GiB } }))).not.toContain("!");
  });
  test.each(["ro", "out_of_data_space", "needs_check", "Fail", "Error", "something new"])("the kernel's state %s", (state) => {
    expect(flat(figures({ state }))).toMatch(new RegExp(`ready, ${state} ! It`));
  });
  test("a call that hangs in the kernel, and for how long", () => {
    expect(flat({ ...fast, stuck: { operation: "createVolume", since: NOW - 65_400 } })).toContain("! createVolume has waited 1 min for the kernel");
  });
  test("a pool that is another process's, or still starting", () => {
    expect(flat({ ...fast, status: "LOCKED", figures: undefined })).toContain("! Another process has this pool.");
    expect(flat({ ...fast, status: "RECOVERING", figures: undefined })).toContain("! It is being started");
  });
  test("orphans and records without a thin device", () => {
    const inventory = { orphans: [orphan(7), orphan(9)], discrepancies: [{ id: "vol-a", number: 3, reason: "missing" }] };
    expect(flat({ ...fast, inventory })).toContain(
      'orphans 2 that no record knows, 2 MiB: number 7, 9. They are left alone: see "dmthin pool orphans fast". vol-a has no thin device in the pool: number 3 is missing',
    );
    const many = { orphans: Array.from({ length: 5000 }, (_, number) => orphan(number)), discrepancies: [] };
    expect(print({ ...fast, inventory: many }).split("\n").length).toBeLessThan(30);
  });
});

test("what is not known is not shown as zero: of a refused pool nothing, of one that starts nothing yet", () => {
  const pool: PoolInfo = { ...fast, status: "RECOVERING", figures: undefined, inventory: undefined, volumes: 0, snapshots: 0, provisionedBytes: 0 };
  expect(flat(pool)).toContain("space not known yet: the kernel was not asked so far");
  expect(flat(pool)).toContain("volumes not known yet: it is being started");
  expect(flat(pool)).toContain("orphans not known yet");
  expect(flat(pool)).not.toContain("promised");
  expect(flat({ ...pool, status: "READY" })).toContain("volumes 0, snapshots 0");
  expect(flat({ ...pool, status: "REFUSED" })).toContain("volumes not known: the pool is not used");
  expect(flat(pool)).not.toContain("0 B of 0 B");
  const nothing = { used: 0, total: 0, available: 0, minimumFree: 0 };
  expect(flat(figures({ state: "Fail", data: nothing, metadata: nothing }))).toContain("space not known: the kernel tells no figures of a pool in this state");
});

const care = (change: object): PoolInfo => ({ ...fast, care: { ...fast.care, data: { ...fast.care?.data, ...change } } as PoolInfo["care"] });

const small = (total: number, metadata: object): PoolInfo => {
  const pool = figures({ metadata: { used: MiB, total, available: total - MiB, minimumFree: 0 } });
  return { ...pool, care: { ...fast.care, metadata: { ...fast.care?.metadata, ...metadata } } as PoolInfo["care"] };
};

describe("metadata that is too small for any snapshot", () => {
  test("is told with what it lacks and what to do, before one is asked for", () => {
    // A thousandth of 100 GiB.
    expect(flat(small(103 * MiB, { headroom: 0 }))).toContain("! Its metadata is too small for any snapshot, clone or restore: it lacks 46.7 MiB");
    expect(flat(small(103 * MiB, { headroom: 0 }))).toContain("To do: give it more, or make the pool anew with larger chunks.");
    expect(flat(small(103 * MiB, { headroom: GiB, thresholdPercent: 0 }))).toContain("To do: dmthin pool extend fast --metadata +47Mi.");
  });
  test("and not where it is a 500th, or grows by itself", () => {
    expect(flat(small(205 * MiB, { headroom: 0 }))).not.toContain("too small");
    expect(flat(small(103 * MiB, { headroom: GiB }))).not.toContain("too small");
  });
});

describe("what care can and cannot do", () => {
  test("nothing is left, or it does not go", () => {
    expect(flat(care({ exhausted: true }))).toContain("! Its data should be made larger, and nothing is left to do so: add space below it");
    expect(flat(care({ failure: "vgs said no" }))).toContain("! Its data could not be made larger: vgs said no. It is tried again.");
  });
  test("never by itself", () => expect(flat(care({ thresholdPercent: 0 }))).toContain("of metadata; never by itself"));
});

test("where discards stay in the pool, it says why", () => {
  expect(flat(figures({ discardPassdown: false, discardHindrance: "/dev/sdb takes no discards" }))).toContain("not passed down: /dev/sdb takes no discards;");
});

test("deletions that wait are counted, and the filesystem below the files is watched", () => {
  expect(flat({ ...fast, deferredDeletions: 2 })).toContain("held open; 2 deletions wait");
  const host = { free: 100 * MiB, reserve: GiB };
  expect(flat(figures({ host }))).toContain("! The filesystem below its files has 100 MiB free, less than the reserve of 1 GiB");
});

test("briefly, a pool leaves room in a terminal of 24 lines, and what somebody has to do is there", () => {
  const brief = printPoolBriefly(figures({ state: "out_of_data_space" }), plain, NOW);
  expect(brief.split("\n").length).toBeLessThan(14);
  expect(brief).toContain("! It has no room left");
});

test("80 columns are enough, save for a path that has more by itself", () => {
  const terabytes = { used: 123.4 * 1024 * GiB, total: 255.9 * 1024 * GiB, available: 132.5 * 1024 * GiB, minimumFree: 25.6 * 1024 * GiB };
  for (const pool of [fast, refused, figures({ data: terabytes, state: "out_of_data_space" })]) {
    for (const line of print(pool).split("\n")) if (!line.includes("/dev/disk/by-id/nvme-SAMSUNG_")) expect(line.length).toBeLessThanOrEqual(80);
  }
});
