import { expect, jest, test } from "@jest/globals";
import { copyFile, mkdir, open, readFile, readdir, readlink, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pendingPrograms } from "../../../src/exec/pending.ts";
import { run } from "../../../src/exec/run.ts";
import { Bench, dmsetup, linear, type Disk } from "./bench.ts";

jest.setTimeout(60_000);

const ext4 = (device: string, target: string) => ({ device, target, type: "ext4" as const, readOnly: false, options: [] });

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error("it never came to be");
}

const failureOf = async (running: Promise<unknown>): Promise<unknown> =>
  running.then(
    () => undefined,
    (error: unknown) => error,
  );

/** How many threads of ours wait uninterruptibly in the kernel. */
async function blockedThreads(): Promise<number> {
  const stats = await Promise.all((await readdir("/proc/self/task")).map(async (id) => readFile(`/proc/self/task/${id}/stat`, "utf8").catch(() => "")));
  return stats.filter(isBlocked).length;
}

const isBlocked = (stat: string): boolean => stat.slice(stat.lastIndexOf(")")).startsWith(") D");

/** Whether a program of that name has the device open and waits uninterruptibly. */
async function isStuckOn(name: string, device: string): Promise<boolean> {
  const [pid] = await processesNamed(name);
  if (pid === undefined) return false;
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const opened = await Promise.all(descriptors.map(async (fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  return opened.includes(await realpath(device)) && isBlocked(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
}

/** The process ids of programs of that name. */
async function processesNamed(name: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const names = await Promise.all(pids.map(async (pid) => (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim()));
  return pids.filter((_, index) => names[index] === name);
}

test("a busy mount is taken off all the same, who holds it is told, and its device is known to be in use until then", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(64);
  await filesystems.make("ext4", device, []);
  const target = await bench.mountPoint("m");
  await filesystems.mount(ext4(device, target));
  const path = join(target, "held");
  const file = await open(path, "w");
  expect(await filesystems.unmount(target)).toBe("detached");
  expect((await filesystems.mounts()).some((mount) => mount.target === target)).toBe(false);
  const [line] = bench.lines;
  expect(line?.fields?.["holders"]).toEqual([expect.stringMatching(new RegExp(`^${process.pid} \\(.*\\): fd \\d+ ${path}$`))]);
  await expect(filesystems.check("ext4", device)).rejects.toMatchObject({ facts: { code: "kernel-failed", errno: "EBUSY", subject: device } });
  await file.writeFile("written after it was detached");
  await file.close();
  await until(async () =>
    filesystems.check("ext4", device).then(
      () => true,
      () => false,
    ),
  );
  await filesystems.mount(ext4(device, target));
  expect(await readFile(path, "utf8")).toBe("written after it was detached");
});

test("a mount that leaked into another namespace does not keep a volume from being unmounted", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(64);
  await filesystems.make("ext4", device, []);
  const target = await bench.mountPoint("m");
  await filesystems.mount(ext4(device, target));
  const controller = new AbortController();
  const other = run(["unshare", "--mount", "sh", "-c", `cd ${target} && exec sleep 1000`], { signal: controller.signal }).catch(() => undefined);
  await until(async () => (await processesNamed("sleep")).length === 1);
  const own = await open(join(target, "held"), "w");
  expect(await filesystems.unmount(target)).toBe("detached");
  expect(bench.lines[0]?.fields?.["holders"]).toEqual(
    expect.arrayContaining([expect.stringMatching(/sleep.*has it mounted on .* in its mount namespace/), expect.stringContaining(`cwd ${target}`)]),
  );
  await own.close();
  controller.abort();
  await other;
});

test("a program that runs from a volume is told as what keeps it busy", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(64);
  await filesystems.make("ext4", device, []);
  const target = await bench.mountPoint("m");
  await filesystems.mount(ext4(device, target));
  const program = join(target, "tenant");
  await copyFile("/usr/bin/sleep", program);
  const controller = new AbortController();
  const running = run([program, "1000"], { signal: controller.signal }).catch(() => undefined);
  await until(async () => (await processesNamed("tenant")).length === 1);
  const [pid] = await processesNamed("tenant");
  expect(await filesystems.unmount(target)).toBe("detached");
  expect(bench.lines[0]?.fields?.["holders"]).toEqual([`${pid} (tenant): exe ${program}`, `${pid} (tenant): a mapped file`]);
  controller.abort();
  await running;
});

test("mkfs that is given up half way fails as such, and no mkfs stays behind to write over what comes next", async () => {
  await using bench = await Bench.set();
  const loop = await bench.loop(400);
  const slow = await bench.map(`0 ${400 * 2048} delay ${loop} 0 200`);
  for (const type of ["ext4", "xfs", "btrfs"] as const) {
    const controller = new AbortController();
    const making = bench.filesystems.make(type, slow.device, [], controller.signal);
    making.catch(() => undefined);
    await until(async () => (await processesNamed(`mkfs.${type}`)).length === 1);
    await sleep(300);
    controller.abort();
    await expect(making).rejects.toMatchObject({ facts: { code: "program-failed", aborted: true, timedOut: false } });
    await until(async () => (await processesNamed(`mkfs.${type}`)).length === 0);
    expect(pendingPrograms()).toEqual([]);
  }
});

test("a program stuck in the kernel keeps neither its call nor the driver, and is told of when it ends at last", async () => {
  await using bench = await Bench.set();
  const disk = await bench.disk(64);
  await dmsetup(["suspend", disk.name]);
  const controller = new AbortController();
  const making = bench.filesystems.make("ext4", disk.device, [], controller.signal);
  making.catch(() => undefined);
  await until(async () => isStuckOn("mkfs.ext4", disk.device)); // before that it goes as it is told to
  controller.abort();
  await expect(making).rejects.toMatchObject({ facts: { code: "program-failed", aborted: true } });
  expect(pendingPrograms()).toMatchObject([{ neverKill: false, argv: expect.arrayContaining(["mkfs.ext4"]) }]);
  await dmsetup(["resume", disk.name]);
  await until(() => bench.lines.length === 1);
  expect(bench.lines[0]?.fields).toMatchObject({ argv: expect.arrayContaining(["mkfs.ext4"]), signal: expect.stringMatching(/^SIG(TERM|KILL)$/) });
  expect(pendingPrograms()).toEqual([]);
});

test("a probe of a device that hangs in the kernel holds up no other file", async () => {
  await using bench = await Bench.set();
  const disk = await bench.disk(64);
  await dmsetup(["suspend", disk.name]);
  const probing = Promise.all(Array.from({ length: 4 }, async () => bench.filesystems.probe(disk.device)));
  await until(async () => (await blockedThreads()) === 4);
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
  await dmsetup(["resume", disk.name]);
  expect(await probing).toEqual([undefined, undefined, undefined, undefined]);
});

test("a check that is given up goes on, and the next one waits for it instead of finding the device in use", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const loop = await bench.loop(64);
  const disk = await bench.map(linear(loop, 64));
  await filesystems.make("ext4", disk.device, []);
  await dmsetup(["suspend", disk.name]);
  await expect(filesystems.check("ext4", disk.device, AbortSignal.timeout(300))).rejects.toMatchObject({ facts: { aborted: true } });
  const second = filesystems.check("ext4", disk.device);
  await sleep(200);
  expect((await processesNamed("e2fsck")).length).toBe(1);
  await dmsetup(["resume", disk.name]);
  await second;
});

test("usage of four volumes that hang in the kernel runs out of time, and holds up no other file", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const disks: Disk[] = [];
  const paths: string[] = [];
  for (let number = 0; number < 4; number++) {
    const disk = await bench.disk(64);
    await filesystems.make("ext4", disk.device, []);
    const target = await bench.mountPoint(`m${number}`);
    await filesystems.mount(ext4(disk.device, target));
    await mkdir(join(target, "folder"));
    // Mounted anew, it has nothing in memory: the folder has to be read, and a suspended device answers no read.
    await filesystems.unmount(target);
    await filesystems.mount(ext4(disk.device, target));
    disks.push(disk);
    paths.push(join(target, "folder"));
  }
  for (const { name } of disks) await dmsetup(["suspend", "--noflush", "--nolockfs", name]);
  try {
    const asked = Promise.all(paths.flatMap((path) => [failureOf(filesystems.usage(path, 2000)), failureOf(filesystems.usage(path, 2000))]));
    await until(async () => (await blockedThreads()) === 4);
    const other = join(bench.folder, "other");
    await writeFile(other, "not held up");
    expect(await readFile(other, "utf8")).toBe("not held up");
    for (const failure of await asked) expect(failure).toMatchObject({ facts: { code: "deadline" } });
    expect(bench.threads.abandoned).toBe(4);
    await expect(filesystems.usage(paths[0] ?? "", 10)).rejects.toMatchObject({ facts: { code: "deadline" } });
    expect(bench.threads.abandoned).toBe(4);
  } finally {
    for (const { name } of disks) await dmsetup(["resume", name]);
  }
  for (const path of paths) expect((await filesystems.usage(path, 10_000)).totalBytes).toBeGreaterThan(40 * 2 ** 20);
});

test("what a device is, and whether it is suspended, is told without waiting for it", async () => {
  await using bench = await Bench.set();
  const disk = await bench.disk(4);
  const identity = async () => bench.filesystems.deviceIdentity(disk.major, disk.minor);
  expect(await identity()).toEqual({ uuid: `DMTHIN-test-${disk.name}`, suspended: false });
  await dmsetup(["suspend", disk.name]);
  expect(await identity()).toEqual({ uuid: `DMTHIN-test-${disk.name}`, suspended: true });
  await dmsetup(["resume", disk.name]);
  await dmsetup(["remove", disk.name]);
  expect(await identity()).toBeUndefined();
});

test("xfs retries follow what was asked, and fall back to the kernel's own", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device, major, minor } = await bench.disk(320);
  await filesystems.make("xfs", device, []);
  await expect(filesystems.setXfsNospaceRetries(major, minor, 0)).rejects.toMatchObject({ facts: { code: "kernel-failed", errno: "ENOENT" } });
  const target = await bench.mountPoint("m");
  await filesystems.mount({ ...ext4(device, target), type: "xfs" });
  const retries = async () => (await readFile(`/sys/fs/xfs/dm-${minor}/error/metadata/ENOSPC/max_retries`, "utf8")).trim();
  const untouched = await retries();
  await filesystems.setXfsNospaceRetries(major, minor, 0);
  expect(await retries()).toBe("0");
  await filesystems.setXfsNospaceRetries(major, minor, "default");
  expect(await retries()).toBe(untouched);
});

test("foreign content is seen: a partition table, swap", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(64);
  const table = Buffer.alloc(512);
  table.writeUInt8(0x83, 446 + 4);
  table.writeUInt32LE(2048, 446 + 8);
  table.writeUInt32LE(20480, 446 + 12);
  table.writeUInt16LE(0xaa55, 510);
  await writeFile(device, table, { flag: "r+" });
  expect(await filesystems.probe(device)).toEqual({ type: "partition table", uuid: undefined });
  await run(["mkswap", "-q", device]);
  expect(await filesystems.probe(device)).toMatchObject({ type: "swap" });
});

test("a device with two filesystems' superblocks is taken for neither, though blkid may call that nothing", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(320);
  await filesystems.make("ext4", device, []);
  const file = await open(device, "r+");
  const superblock = Buffer.alloc(1024);
  await file.read(superblock, 0, 1024, 1024);
  await filesystems.make("xfs", device, []);
  await file.write(superblock, 0, 1024, 1024);
  await file.close();
  expect([undefined, "several filesystems at once"]).toContain((await filesystems.probe(device))?.type);
});

test("an ext4 that only a person can repair is not mounted as if it were sound", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(64);
  await filesystems.make("ext4", device, []);
  await writeFile(device, Buffer.alloc(64 * 1024), { flag: "r+" });
  await expect(filesystems.check("ext4", device)).rejects.toMatchObject({ facts: { code: "program-failed", exitCode: 8 } });
});
