import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { DirectLvmBacking } from "../../../src/config/pool-description.ts";
import { poolKernelNames } from "../../../src/lvm/names.ts";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { CareBench } from "../pool/care-bench.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { devices, labDisks as DISKS } from "../../harness/standing.ts";
import { dm, GROUP, lvm, tool } from "./rig.ts";

jest.setTimeout(180_000);
const [, , DISK = ""] = DISKS;
let bench: CareBench;

beforeEach(() => {
  cleanMachine();
  bench = new CareBench();
});
afterEach(async () => {
  await bench.dispose();
});

const backing = (change: Partial<DirectLvmBacking> = {}): DirectLvmBacking => ({
  kind: "directLvm",
  devices: [DISK],
  metadataDevices: [],
  volumeGroup: GROUP,
  thinpPercent: 10,
  thinpMetaPercent: 1,
  force: false,
  ...change,
});

/** What LVM has on record, which the kernel's tables have to agree with. */
async function onRecord(): Promise<{
  readonly data: number;
  readonly metadata: number;
  readonly whenFull: string | undefined;
  readonly monitored: boolean | undefined;
}> {
  const volumes = await lvm(...DISKS).logicalVolumes(GROUP);
  const size = (name: string): number => volumes.find((volume) => volume.name === name)?.sizeBytes ?? 0;
  const report = volumes.find(({ name }) => name === "pool")?.pool;
  return { data: size("pool"), metadata: size("pool_tmeta"), whenFull: report?.whenFull, monitored: report?.monitored };
}

const kernelSizes = () => {
  const figures = bench.pool.view.figures;
  return { data: (figures?.data.total ?? 0) * (figures?.chunkSize ?? 0), metadata: (figures?.metadata.total ?? 0) * 4096 };
};

test("data and metadata are extended while a writer is at work, which loses nothing; at the end what there is is taken, and then writes fail", async () => {
  const pool = await bench.open({ backing: backing(), chunkSize: bytes(512 * 1024) });
  const before = await onRecord();
  const { path } = await bench.activate("a", bytes(6 * GiB));
  const writer = bench.fill(path, 1024);
  const metadata = await pool.calls.extend("metadata", { by: bytes(8 * MiB) });
  expect(metadata.toBytes - metadata.fromBytes).toBe(8 * MiB);
  expect(await writer).toMatchObject({ code: 0 });
  expect(await pool.calls.mapped(volumeId("a"))).toBe(GiB);
  expect((await pool.calls.refresh()).state).toBe("rw");
  const { data, metadata: metadataSize, whenFull, monitored } = await onRecord();
  expect(data).toBeGreaterThan(before.data);
  expect({ data, metadata: metadataSize }).toEqual(kernelSizes());
  expect({ whenFull, monitored }).toEqual({ whenFull: "queue", monitored: false });

  expect(await bench.fill(path, 4096, 1024)).toMatchObject({ code: 1, said: expect.stringContaining("No space left on device") });
  await bench.until(() => pool.view.care?.data.exhausted === true && pool.view.figures?.queuesWhenFull === false);
  expect((await lvm(DISK).physicalVolumes()).map(({ freeExtents }) => freeExtents)).toEqual([0]);
  expect((await onRecord()).whenFull).toBe("error");
  expect([bench.told("exhausted").length, bench.told("failing").length]).toEqual([1, 1]);
}, 150_000);

test("LVM killed in the middle of an extension is put right at the next start: nothing suspended, kernel and LVM of one size, data as it was", async () => {
  const noCare = { backing: backing(), autoextend: { thresholdPercent: 100, percent: 20 } };
  let timesLeftSuspended = 0;
  let wanted: string | undefined;
  for (const killedAt of [150, ...Array.from({ length: 6 }, () => "suspended" as const)]) {
    await bench.open(noCare);
    const { path } = await bench.activate("a", bytes(GiB));
    if (wanted === undefined) tool("sh", "-c", `dd if=/dev/urandom of=${path} bs=1M count=32 oflag=direct status=none`);
    const sum = (): string => tool("sh", "-c", `dd if=${path} bs=1M count=32 iflag=direct status=none | md5sum`);
    wanted ??= sum();
    await bench.close();
    const isLeftSuspended = await killLvextend(killedAt);
    bench.lines.length = 0;
    await bench.open(noCare);
    for (const { name, uuid } of devices(dm)) expect([name, dm.info(uuid)?.suspended, dm.info(uuid)?.hasInactiveTable]).toEqual([name, false, false]);
    if (isLeftSuspended) expect(bench.lines.map(({ message }) => message)).toContain("resumed a device that was left suspended");
    if (isLeftSuspended) timesLeftSuspended++;
    const { data, metadata } = await onRecord();
    expect({ data, metadata }).toEqual(kernelSizes());
    expect(sum()).toBe(wanted);
    await bench.close();
    if (timesLeftSuspended === 2) break;
  }
  expect(timesLeftSuspended).toBeGreaterThan(0);
});

/** At a time in ms, or as soon as the pool is suspended; answers whether it has left anything so. */
async function killLvextend(when: number | "suspended"): Promise<boolean> {
  const config = "activation/monitoring=0 activation/udev_sync=0 activation/udev_rules=0";
  const child = spawn("lvm", ["lvextend", "--devices", DISK, "--config", config, "--extents", "+4", `${GROUP}/pool`], { stdio: "ignore" });
  const exited = once(child, "exit");
  const below = dm.list().filter(({ name }) => poolKernelNames(GROUP, "pool").includes(name));
  const isSuspended = (name: string): boolean => below.some((device) => device.name.endsWith(name) && dm.info(device.uuid)?.suspended === true);
  const until = performance.now() + (when === "suspended" ? 5_000 : when);
  const isReached = (): boolean => performance.now() >= until || child.exitCode !== null || (when === "suspended" && isSuspended("-pool"));
  while (!isReached()) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await exited;
  return isSuspended("");
}
