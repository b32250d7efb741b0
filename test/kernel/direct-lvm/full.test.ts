import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Capability } from "../../../src/catalog/records.ts";
import type { DirectLvmBacking, PoolDescription } from "../../../src/config/pool-description.ts";
import { run } from "../../../src/exec/run.ts";
import { LinuxFilesystems } from "../../../src/filesystem/linux-filesystems.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { silentLogger } from "../../../src/logger.ts";
import { MiB } from "../../../src/units.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { TrimSchedule } from "../../../src/volumes/trim-schedule.ts";
import type { Call } from "../../../src/volumes/volumes.ts";
import { output } from "../../harness/program.ts";
import { CareBench } from "../pool/care-bench.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { GROUP } from "./rig.ts";
import { SparseDisks } from "./sparse-disks.ts";

/** What test/kernel/full shows of pools on devices and files, once under LVM: through its layers discards and waiting writes pass too. */
jest.setTimeout(180_000);
const FILESYSTEMS = ["ext4", "xfs"] as const;
const disks = new SparseDisks(1, 1100 * MiB);
const [DISK = ""] = disks.paths;
const call = (): Call => ({ signal: AbortSignal.timeout(60_000), deadline: undefined, requestId: "full" });

/** For how many seconds writes wait in a full pool; 0: without end, however slow this machine is. */
const WAITING = "/sys/module/dm_thin_pool/parameters/no_space_timeout";
const usually = readFileSync(WAITING, "utf8");

let bench: CareBench;
let threads: BlockingThreads;
let filesystems: LinuxFilesystems;
let volumes: LocalVolumes;
let folder: string;
beforeEach(() => {
  writeFileSync(WAITING, "0");
  cleanMachine([]);
  bench = new CareBench();
  threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  filesystems = new LinuxFilesystems({ logger: silentLogger, run, threads });
  folder = mkdtempSync(join(tmpdir(), "dmthin-full-lvm-"));
});
afterEach(async () => {
  await bench.dispose();
  await threads.close();
  disks.blank();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => {
  writeFileSync(WAITING, usually);
  disks[Symbol.dispose]();
});

async function open(thinpPercent: number, change: Partial<PoolDescription>): Promise<void> {
  const backing: DirectLvmBacking = {
    kind: "directLvm",
    devices: [DISK],
    metadataDevices: [],
    volumeGroup: GROUP,
    thinpPercent,
    thinpMetaPercent: 1,
    force: false,
  };
  await bench.open({ backing, autoextend: { thresholdPercent: 100, percent: 20 }, ...change });
  volumes = new LocalVolumes({ pools: [bench.pool], filesystems, node: "node", logger: silentLogger });
}

const wanted = (name: string, capability: Capability) => ({
  name,
  size: { requiredBytes: BigInt(400 * MiB), limitBytes: undefined },
  capabilities: [capability],
  parameters: { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} },
  origin: { kind: "blank" } as const,
  topology: undefined,
});
const capabilityOf = (filesystem: (typeof FILESYSTEMS)[number]): Capability => ({ access: "mount", filesystem, mountFlags: [], mode: "SINGLE_NODE_WRITER" });

async function mounted(filesystem: (typeof FILESYSTEMS)[number]): Promise<{ readonly id: string; readonly path: string }> {
  const capability = capabilityOf(filesystem);
  const { record } = await volumes.create(wanted(filesystem, capability), call());
  const path = join(folder, filesystem);
  mkdirSync(path);
  await volumes.stage({ id: record.id, path, capability }, call());
  return { id: record.id, path };
}

/** Of the pool, and of what lies below its disk. */
async function taken(): Promise<{ readonly pool: number; readonly disk: number }> {
  output("sync", []);
  const { data, chunkSize } = await bench.pool.calls.refresh();
  return { pool: data.used * chunkSize, disk: disks.bytesTaken(DISK) };
}

const CONTENT_MIB = 64;

test("what was deleted within mounted filesystems is trimmed on schedule, and goes through LVM to the disk; the rest stays", async () => {
  await open(80, { trim: { intervalMs: 1, atOnce: 1 } });
  const places = [];
  for (const filesystem of FILESYSTEMS) places.push(await mounted(filesystem));
  for (const { path } of places)
    for (const name of ["file", "kept"]) output("dd", ["if=/dev/urandom", `of=${join(path, name)}`, "bs=1M", `count=${CONTENT_MIB}`, "conv=fsync"]);
  const full = await taken();
  for (const { path } of places) output("sh", ["-c", `rm "$0/file" && sync -f "$0"`, path]);
  const schedule = new TrimSchedule({ pools: [bench.pool], filesystems, logger: silentLogger, lookMs: 50 });
  const least = places.length * (CONTENT_MIB - 8) * MiB;
  let now = await taken();
  for (let tries = 0; tries < 300 && (full.pool - now.pool < least || full.disk - now.disk < least); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    now = await taken();
  }
  await schedule.close();
  expect(full.pool - now.pool).toBeGreaterThanOrEqual(least);
  expect(full.disk - now.disk).toBeGreaterThanOrEqual(least);
  for (const { path } of places) expect(readdirSync(path)).toContain("kept");
});

/** Two of these are more than the pool has. */
const WRITTEN_MIB = 150;

test("a full pool hangs nobody: writes wait, all else is answered, and once it is made larger they go on and lose nothing", async () => {
  await open(20, { whenFull: "queue" });
  const other = await volumes.create(wanted("other", capabilityOf("ext4")), call());
  const places = [];
  for (const filesystem of FILESYSTEMS) places.push(await mounted(filesystem));
  const writers = places.map(({ path }) => {
    const child = spawn("sh", ["-c", `yes kept | dd of=${join(path, "file")} bs=1M count=${WRITTEN_MIB} iflag=fullblock conv=fsync`], { stdio: "ignore" });
    return { child, ended: once(child, "exit") as Promise<[number | null]> };
  });
  await bench.until(() => bench.pool.view.figures?.state === "out_of_data_space");
  await expect(volumes.create(wanted("refused", capabilityOf("ext4")), call())).rejects.toMatchObject({ facts: { code: expect.stringMatching(/^pool-/) } });
  for (const { id } of places)
    await expect(volumes.createSnapshot({ name: `of ${id}`, sourceVolumeId: id }, call())).rejects.toMatchObject({
      facts: { code: expect.stringMatching(/^pool-/) },
    });
  await volumes.delete(other.record.id, call());
  expect(writers.map(({ child }) => child.exitCode)).toContain(null);

  await bench.pool.calls.extend("data", "max");
  for (const { ended } of writers) expect(await ended).toEqual([0, null]);
  expect((await bench.pool.calls.refresh()).state).toBe("rw");
  for (const { id, path } of places) {
    expect(readFileSync(join(path, "file")).equals(Buffer.alloc(WRITTEN_MIB * MiB, "kept\n"))).toBe(true);
    await volumes.createSnapshot({ name: `of ${id}`, sourceVolumeId: id }, call());
    await volumes.unstage(id, path, call());
  }
});
