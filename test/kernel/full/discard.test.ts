import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Capability } from "../../../src/catalog/records.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { createAdminServer } from "../../../src/csi/admin-service.ts";
import { askUpkeep } from "../../../src/csi/upkeep-client.ts";
import { run } from "../../../src/exec/run.ts";
import { LinuxFilesystems } from "../../../src/filesystem/linux-filesystems.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { WorkerPool } from "../../../src/pool/worker/worker-pool.ts";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { TrimSchedule } from "../../../src/volumes/trim-schedule.ts";
import type { Call } from "../../../src/volumes/volumes.ts";
import { labDisks } from "../../contract/choice.ts";
import { CareBench } from "../pool/care-bench.ts";
import { runLine } from "../../unit/cli/command-line.ts";
import { output } from "../../harness/program.ts";

jest.setTimeout(120_000);
const [, HOST = ""] = labDisks;
const FILESYSTEMS = ["ext4", "xfs", "btrfs"] as const;
const CONTENT_MIB = 64;
const call = (): Call => ({ signal: AbortSignal.timeout(60_000), deadline: undefined, requestId: "discard" });

let bench: CareBench;
let threads: BlockingThreads;
let folder: string;
let files: string;
beforeEach(() => {
  bench = new CareBench();
  threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  folder = mkdtempSync(join(tmpdir(), "dmthin-discard-"));
});
afterEach(async () => {
  await bench.dispose();
  await threads.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Node {
  readonly pool: WorkerPool;
  readonly filesystems: LinuxFilesystems;
  readonly volumes: LocalVolumes;
}

/** A loop pool whose files are on a disk of their own, and the driver's node side. */
async function node(change: Partial<PoolDescription>): Promise<Node> {
  files = join(bench.hostFilesystem(HOST), "pool");
  const backing = { kind: "loop", directory: files, dataSize: GiB, metadataSize: bytes(8 * MiB), maximumDataSize: GiB, hostReserve: bytes(16 * MiB) } as const;
  const pool = await bench.open({ backing, ...change });
  const filesystems = new LinuxFilesystems({ logger: silentLogger, run, threads });
  return { pool, filesystems, volumes: new LocalVolumes({ pools: [pool], filesystems, node: "node", logger: silentLogger }) };
}

async function mounted(
  { volumes }: Node,
  filesystem: (typeof FILESYSTEMS)[number],
  mountFlags: readonly string[] = [],
): Promise<{ readonly id: string; readonly path: string }> {
  const capability: Capability = { access: "mount", filesystem, mountFlags, mode: "SINGLE_NODE_WRITER" };
  const parameters = { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} };
  const size = { requiredBytes: BigInt(400 * MiB), limitBytes: undefined };
  const { record } = await volumes.create(
    { name: filesystem, size, capabilities: [capability], parameters, origin: { kind: "blank" }, topology: undefined },
    call(),
  );
  const path = join(folder, filesystem);
  mkdirSync(path);
  await volumes.stage({ id: record.id, path, capability }, call());
  return { id: record.id, path };
}

function write(path: string): void {
  output("dd", ["if=/dev/urandom", `of=${join(path, "file")}`, "bs=1M", `count=${CONTENT_MIB}`, "conv=fsync"]);
}

/** What the pool's data file takes of the disk below. */
function hostBytes(): number {
  output("sync", ["--file-system", files]);
  return statSync(join(files, "data.img")).blocks * 512;
}

async function poolBytes({ pool }: Node): Promise<number> {
  const { data, chunkSize } = await pool.calls.refresh();
  return data.used * chunkSize;
}

/** Both the pool and the disk below have most of the content back. */
async function expectGivenBack(on: Node, full: { readonly pool: number; readonly host: number }, volumes = 1): Promise<void> {
  const least = volumes * (CONTENT_MIB - 8) * MiB;
  let now = { pool: await poolBytes(on), host: hostBytes() };
  for (let tries = 0; tries < 100 && (full.pool - now.pool < least || full.host - now.host < least); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    now = { pool: await poolBytes(on), host: hostBytes() };
  }
  expect(full.pool - now.pool).toBeGreaterThanOrEqual(least);
  expect(full.host - now.host).toBeGreaterThanOrEqual(least);
}

test("what was deleted within mounted filesystems is trimmed on schedule: the pool and the disk below have it back, the rest stays", async () => {
  const on = await node({ trim: { intervalMs: 1, atOnce: 1 } });
  const volumes: { readonly id: string; readonly path: string }[] = [];
  for (const filesystem of FILESYSTEMS) {
    const volume = await mounted(on, filesystem);
    write(volume.path);
    output("sh", ["-c", `cp --reflink=never "$0/file" "$0/kept" && sync -f "$0"`, volume.path]);
    volumes.push(volume);
  }
  const full = { pool: await poolBytes(on), host: hostBytes() };
  for (const { path } of volumes) output("sh", ["-c", `rm "$0/file" && sync -f "$0"`, path]);
  const schedule = new TrimSchedule({ pools: [on.pool], filesystems: on.filesystems, logger: silentLogger, lookMs: 50 });
  const trimmed = (): boolean => volumes.every(({ id }) => (on.pool.view.thins.get(id) as { trimmedAt?: Date }).trimmedAt !== undefined);
  await bench.until(trimmed);
  await expectGivenBack(on, full, volumes.length); // xfs and btrfs let go of what was deleted a little later
  await schedule.close();
  for (const { path } of volumes) expect(readdirSync(path)).toContain("kept");
});

test("an operator has mounted filesystems of a pool without a schedule trimmed: what was deleted in them is the pool's and the disk's again", async () => {
  const on = await node({ trim: undefined });
  const trims = new TrimSchedule({ pools: [on.pool], filesystems: on.filesystems, logger: silentLogger });
  const socket = join(folder, "admin.sock");
  const server = createAdminServer({ pools: () => [on.pool], upkeep: on.volumes, trims, version: "1.2.3", node: "node", logger: silentLogger });
  await server.listen(socket);
  const trim = async (...which: readonly string[]) => {
    const result = await runLine(["volume", "trim", "--json", "--socket", socket, ...which], { askUpkeep: async (path) => askUpkeep(path) });
    return { ...result, trimmed: JSON.parse(result.output) as readonly { readonly id: string; readonly givenBackBytes: number; readonly leftAlone: string }[] };
  };
  const volumes: { readonly id: string; readonly path: string }[] = [];
  for (const filesystem of FILESYSTEMS) volumes.push(await mounted(on, filesystem));
  await trim(); // what a filesystem's making has left
  for (const { path } of volumes) write(path);
  const full = { pool: await poolBytes(on), host: hostBytes() };
  for (const { path } of volumes) output("sh", ["-c", `rm "$0/file" && sync -f "$0"`, path]);
  const givenBack = new Map<string, number>();
  const least = (CONTENT_MIB - 8) * MiB;
  // xfs and btrfs let go of what was deleted a little later
  for (let tries = 0; tries < 100 && volumes.some(({ id }) => (givenBack.get(id) ?? 0) < least); tries++) {
    const { code, trimmed } = await trim();
    expect(code).toBe(0);
    for (const { id, givenBackBytes } of trimmed) givenBack.set(id, (givenBack.get(id) ?? 0) + givenBackBytes);
  }
  for (const { id } of volumes) expect(givenBack.get(id)).toBeGreaterThanOrEqual(least);
  await expectGivenBack(on, full, volumes.length);
  for (const { id, path } of volumes) await on.volumes.unstage(id, path, call());
  expect(await trim("ext4")).toMatchObject({ code: 1, trimmed: [{ name: "ext4", leftAlone: "it is not mounted on this machine" }] });
  await trims.close();
  await server.close(AbortSignal.abort());
});

test("a volume mounted with discard gives back at once", async () => {
  const on = await node({});
  const { path } = await mounted(on, "ext4", ["discard"]);
  write(path);
  const full = { pool: await poolBytes(on), host: hostBytes() };
  output("sh", ["-c", `rm "$0/file" && sync -f "$0"`, path]);
  await expectGivenBack(on, full);
});

test.each([true, false])("a deleted volume's blocks are the pool's again, and the disk's with discardOnDelete (%s)", async (discardOnDelete) => {
  const on = await node({ discardOnDelete });
  const { id, path } = await mounted(on, "ext4");
  write(path);
  const full = { pool: await poolBytes(on), host: hostBytes() };
  await on.volumes.unstage(id, path, call());
  await on.volumes.delete(id, call());
  if (discardOnDelete) await expectGivenBack(on, full);
  else {
    await bench.until(() => on.pool.view.thins.size === 0);
    expect(await poolBytes(on)).toBe(0);
    expect(full.host - hostBytes()).toBeLessThan(8 * MiB);
  }
});
