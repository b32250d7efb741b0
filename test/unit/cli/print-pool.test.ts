import { describe, expect, test } from "@jest/globals";
import type { PoolInfo } from "../../../src/cli/driver-info.ts";
import { printPool } from "../../../src/cli/print-pool.ts";
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
  data          █████████░░░░░░░░░░░░░  42 %  42 GiB of 100 GiB
  metadata      ██░░░░░░░░░░░░░░░░░░░░  11 %  24 MiB of 219 MiB
  minimum free  10 GiB of data, 22 MiB of metadata
  chunks        64 KiB, zeroed before use
  volumes       12, snapshots 3, group snapshots 1
  promised      120 GiB, 1.2 times the pool (at most 10 times)
  new volumes   ext4 when nothing else is asked for
  when full     writes wait for room, a minute by default
  on delete     blocks are discarded first; the pool passes discards down
  transaction   57
  orphans       none`,
  );
});

describe("what somebody has to do is said, with what to do", () => {
  test("a refused pool: why, and the remedy", () => {
    expect(flat(refused)).toContain("refused");
    expect(flat(refused)).toContain("It is not used: its superblock is blank, and the pool was formatted before. To do: restore the metadata device");
  });
  test("less free than the minimum, of data or of metadata", () => {
    const data = { used: 91 * GiB, total: 100 * GiB, minimumFree: 10 * GiB };
    const metadata = { used: 200 * MiB, total: 219 * MiB, minimumFree: 22 * MiB };
    expect(flat(figures({ data }))).toContain("! Less data space is free than its minimum: no new volumes and snapshots");
    expect(flat(figures({ metadata }))).toContain("! Less metadata space is free than its minimum");
    expect(flat(figures({ data: { ...data, used: 90 * GiB } }))).not.toContain("!");
  });
  test.each(["ro", "out_of_data_space", "needs_check", "Fail", "Error", "something new"])("the kernel's state %s", (state) => {
    expect(flat(figures({ state }))).toMatch(new RegExp(`ready, ${state} ! It`));
  });
  test("a call that hangs in the kernel, and for how long", () => {
    expect(flat({ ...fast, stuck: { operation: "createVolume", since: NOW - 65_400 } })).toContain("! createVolume has waited 65 s for the kernel");
  });
  test("a pool that is another process's, or still starting", () => {
    expect(flat({ ...fast, status: "LOCKED", figures: undefined })).toContain("! Another process has this pool.");
    expect(flat({ ...fast, status: "RECOVERING", figures: undefined })).toContain("! It is being started");
  });
  test("orphans and records without a thin device", () => {
    const inventory = { orphans: [orphan(7), orphan(9)], discrepancies: [{ id: "vol-a", number: 3, reason: "missing" }] };
    expect(flat({ ...fast, inventory })).toContain(
      "orphans 2 that no record knows, 2 MiB: number 7, 9. They are left alone. vol-a has no thin device in the pool: number 3 is missing",
    );
    const many = { orphans: Array.from({ length: 5000 }, (_, number) => orphan(number)), discrepancies: [] };
    expect(print({ ...fast, inventory: many }).split("\n").length).toBeLessThan(20);
  });
});

test("what is not known yet is not shown as zero", () => {
  const pool: PoolInfo = { ...fast, status: "REFUSED", figures: undefined, inventory: undefined, volumes: 0, snapshots: 0, provisionedBytes: 0 };
  expect(flat(pool)).toContain("volumes not known yet");
  expect(flat(pool)).not.toContain("promised");
  expect(flat({ ...pool, status: "READY" })).toContain("volumes 0, snapshots 0");
  expect(flat(pool)).toContain("not known yet: the kernel was not asked so far");
  expect(flat(pool)).toContain("orphans not known yet");
  expect(flat(pool)).not.toContain("0 B of 0 B");
});

test("80 columns are enough, save for a path that has more by itself", () => {
  const terabytes = { used: 123.4 * 1024 * GiB, total: 255.9 * 1024 * GiB, minimumFree: 25.6 * 1024 * GiB };
  for (const pool of [fast, refused, figures({ data: terabytes, state: "out_of_data_space" })]) {
    for (const line of print(pool).split("\n")) if (!line.includes("/dev/disk/by-id/nvme-SAMSUNG_")) expect(line.length).toBeLessThanOrEqual(80);
  }
});
