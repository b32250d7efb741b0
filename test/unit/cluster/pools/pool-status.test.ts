import { expect, test } from "@jest/globals";
import { whatHolds } from "../../../../src/cluster/pools/removal.ts";
import { quantised, statusOf, type PoolSeen } from "../../../../src/cluster/pools/pool-status.ts";
import { nodeThinPoolStatus, type NodeThinPoolStatus } from "../../../../src/cluster/objects/node-thin-pool.ts";
import type { PoolState } from "../../../../src/pool/pool-calls.ts";
import { chunks, GiB, MiB, TiB } from "../../../../src/units.ts";
import { snapshotRecord as snapshot, volumeRecord as volume } from "../../records.ts";
import { described, FIGURES, SeenPool } from "./seen-pool.ts";

const now = new Date("2026-11-21T12:00:00Z");
const EMPTY = nodeThinPoolStatus.parse({});
const fresh = (): SeenPool => new SeenPool(described("fast"));

const status = (seen: Partial<PoolSeen>, before: NodeThinPoolStatus = EMPTY): NodeThinPoolStatus =>
  statusOf(
    { pool: undefined, observedGeneration: 3, refusal: undefined, removal: undefined, unclaimed: [], ...seen },
    { before, now, driverVersion: "1.2.3", kernelVersion: "6.12" },
  );
const condition = ({ conditions }: NodeThinPoolStatus, type: string) => conditions.find((each) => each.type === type);

test("a pool that serves tells what it is, what it holds, and what can still be had", () => {
  const told = status({
    pool: fresh().serves({}, [volume("vol-a"), volume("vol-b"), volume("vol-c", { state: "deleting" }), snapshot("snap-a")]),
    unclaimed: ["vol-b"],
  });
  expect(nodeThinPoolStatus.parse(told)).toEqual(told);
  expect(told).toMatchObject({
    phase: "Ready",
    message: "pool fast serves",
    state: "rw",
    poolUUID: "uuid of fast",
    backing: "loop",
    chunkSizeBytes: 65_536,
    data: { totalBytes: 100 * GiB, usedBytes: 10 * GiB, total: "100Gi", used: "10Gi" },
    metadata: { totalBytes: 50_000 * 4096, usedBytes: 500 * 4096 },
    promisedBytes: 2 * GiB,
    volumes: 2,
    snapshots: 1,
    orphans: 0,
    unclaimed: ["vol-b"],
    minimumVolumeBytes: 65_536,
    driverVersion: "1.2.3",
    kernelVersion: "6.12",
    observedGeneration: 3,
  });
  // 80 GiB above the minimum, ten times promised.
  expect(told.availableBytes).toBe(800 * GiB - ((800 * GiB) % (8 * GiB)));
  // For tables; the number above is what is reckoned with.
  expect([told.available, told.promised]).toEqual(["800Gi", "2Gi"]);
  expect(condition(told, "Ready")).toMatchObject({ status: "True", reason: "Serves", lastTransitionTime: now.toISOString() });
  expect(condition(told, "DescriptionAccepted")).toMatchObject({ status: "True" });
});

test.each<[PoolState, string]>([
  ["out_of_data_space", "Full"],
  ["ro", "ReadOnly"],
  ["needs_check", "NeedsCheck"],
  ["Fail", "Failed"],
])("one that is %s can take nothing, is not ready, and says why", (state, reason) => {
  const told = status({ pool: fresh().serves({ state }) });
  expect(told).toMatchObject({ phase: "Ready", state, availableBytes: 0 });
  expect(condition(told, "Ready")).toMatchObject({ status: "False", reason });
});

test("while it is recovered its figures are those of before, and nothing can be had", () => {
  const before = status({ pool: fresh().serves({}, [volume("vol-a")]) });
  const told = status({ pool: fresh().is({ kind: "recovering", reason: "the disk is not there" }) }, before);
  expect(told).toMatchObject({ phase: "Pending", volumes: 1, data: before.data, poolUUID: before.poolUUID, availableBytes: 0 });
  expect(told.message).toContain("the disk is not there");
  expect(condition(told, "Ready")).toMatchObject({ status: "False", reason: "Pending" });
});

test("one that is refused says the reason and the remedy; its disks that are left out are told", () => {
  const pool = fresh().is({ kind: "refused", reason: "its superblock is blank", remedy: "restore it" });
  pool.view.apply({ kind: "disks", disks: { members: ["/dev/sda"], excluded: [{ path: "/dev/sdb", reason: "it holds ext4" }] } });
  expect(status({ pool })).toMatchObject({
    phase: "Refused",
    message: "pool fast is not used: its superblock is blank; restore it",
    excludedDisks: [{ path: "/dev/sdb", reason: "it holds ext4" }],
  });
});

test("a ThinPool that cannot be followed is told beside a pool that serves, and alone where none is", () => {
  const serving = status({ pool: fresh().serves(), refusal: "spec.chunkSize is other" });
  expect(serving).toMatchObject({ phase: "Ready", message: "pool fast serves; its ThinPool is not followed: spec.chunkSize is other" });
  expect(condition(serving, "DescriptionAccepted")).toMatchObject({ status: "False", message: "spec.chunkSize is other" });
  expect(status({ refusal: "spec.backing: is required", observedGeneration: undefined })).toMatchObject({
    phase: "Refused",
    message: "spec.backing: is required",
  });
});

test("one that is to go says what it waits for", () => {
  expect(status({ pool: fresh().serves(), removal: "it waits" })).toMatchObject({ phase: "Removing", message: "it waits" });
});

const used = (count: number): NodeThinPoolStatus => status({ pool: fresh().serves({ data: { used: chunks(count), total: FIGURES.data.total } }) });

test("what is written into a pool changes its status by whole percents only", () => {
  expect(used(163_841).data).toEqual(used(180_000).data);
  expect(used(163_841).data?.usedBytes).toBe(11 * GiB);
  expect(used(0).data?.usedBytes).toBe(0);
  expect(used(FIGURES.data.total).data?.usedBytes).toBe(100 * GiB);
  expect(used(163_841).availableBytes).toBe(used(163_900).availableBytes);
});

test("what is told as available can be had, and is no finer than it has to be", () => {
  for (const available of [0, 10 * MiB, 500 * MiB, GiB, 3.7 * GiB, 63 * GiB, 999 * GiB, 17 * TiB + 12_345]) {
    const told = quantised(available);
    expect(told).toBeLessThanOrEqual(available);
    expect(available - told).toBeLessThan(Math.max(available / 64, available < GiB ? 16 * MiB : GiB));
  }
  expect(quantised(3.7 * GiB)).toBe(3 * GiB);
});

test("only an open pool without anything in it may go, or one that was refused or never started, which the removal looks into", () => {
  expect(whatHolds(fresh().serves())).toBeUndefined();
  expect(whatHolds(fresh().is({ kind: "refused", reason: "a", remedy: "b" }))).toBeUndefined();
  expect(whatHolds(fresh().serves({}, [volume("vol-a"), snapshot("snap-a"), snapshot("snap-b")]))).toBe("it holds 1 volume and 2 snapshots: delete them first");
  expect(whatHolds(fresh().serves({}, [volume("vol-a", { state: "deleting" })]))).toMatch(/of which 1 are being deleted/);
  expect(whatHolds(fresh().is({ kind: "recovering" }))).toBe("it is being recovered");
  expect(whatHolds(fresh().serves().is({ kind: "recovering", reason: "no disk" }))).toMatch(/no disk/);
  expect(whatHolds(fresh().is({ kind: "recovering", reason: "no disk" }))).toBeUndefined(); // it never was there: the removal looks
  expect(whatHolds(fresh().is({ kind: "locked" }))).toMatch(/lock/);
  const counted = fresh().serves();
  counted.view.apply({ kind: "inventory", inventory: { orphans: [{ number: 7, mappedBytes: 0, transactionId: 1 } as never], discrepancies: [] } });
  expect(whatHolds(counted)).toMatch(/1 thin device that nobody knows: .*dmthin pool orphans fast/);
});
