import { describe, expect, jest, test } from "@jest/globals";
import { appendFile, open, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FILESYSTEM_TYPES, type FilesystemType } from "../../../src/filesystem/filesystems.ts";
import { Bench, copyBehind, deviceNumberOf, dmsetup, linear, reload } from "./bench.ts";

jest.setTimeout(60_000);

const mountOf = (type: FilesystemType, device: string, target: string, readOnly = false) => ({ device, target, type, readOnly, options: [] });

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const file = await open(path);
  await file.sync();
  await file.close();
}

describe.each(FILESYSTEM_TYPES)("%s", (type) => {
  test("is made, mounted, written, unmounted, checked and found again with what was written", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const { device, major, minor } = await bench.disk(400);
    expect(await filesystems.probe(device)).toBeUndefined();
    await filesystems.make(type, device, []);
    expect(await filesystems.probe(device)).toEqual({ type, uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    const target = await bench.mountPoint("m");
    await filesystems.mount({ ...mountOf(type, device, target), options: ["noatime"] });
    expect((await filesystems.mounts()).filter((mount) => mount.target === target)).toEqual([
      { target, root: "/", type, major, minor, readOnly: false, options: expect.arrayContaining(["noatime", "rw"]) },
    ]);
    await writeFile(join(target, "file"), "kept");
    expect(await filesystems.unmount(target)).toBe("unmounted");
    expect(await filesystems.unmount(target)).toBe("not-mounted");
    await filesystems.check(type, device);
    await filesystems.mount(mountOf(type, device, target));
    expect(await readFile(join(target, "file"), "utf8")).toBe("kept");
  });

  test("grows to its device while it is used, and growing again is no failure", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const loop = await bench.loop(900);
    const disk = await bench.map(linear(loop, 400));
    await filesystems.make(type, disk.device, []);
    const target = await bench.mountPoint("m");
    await filesystems.mount(mountOf(type, disk.device, target));
    const file = await open(join(target, "file"), "w");
    await reload(disk, linear(loop, 900));
    const before = await filesystems.usage(target, 5000);
    for (let time = 0; time < 2; time++) {
      await filesystems.grow(type, disk.device, target);
      const after = await filesystems.usage(target, 5000);
      expect(after.totalBytes - before.totalBytes).toBeGreaterThan(450 * 2 ** 20);
      expect(after.totalBytes).toBeGreaterThanOrEqual(after.usedBytes + after.availableBytes);
    }
    await file.close();
  });

  test("is read, though a crash left its journal unfinished and its device refuses writes", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const loop = await bench.loop(800);
    const disk = await bench.map(linear(loop, 400));
    await filesystems.make(type, disk.device, []);
    const target = await bench.mountPoint("m");
    await filesystems.mount(mountOf(type, disk.device, target));
    await writeDurably(join(target, "early"), "early");
    await filesystems.unmount(target);
    await filesystems.mount(mountOf(type, disk.device, target));
    await writeDurably(join(target, "late"), "late");
    // The disk as a power cut would leave it now.
    await copyBehind(loop, disk.device, 400);
    await filesystems.unmount(target);
    await dmsetup(["remove", disk.name]);
    const crashed = await bench.map(linear(loop, 400, 400), ["--readonly"]);
    await filesystems.mount(mountOf(type, crashed.device, target, true));
    expect(await readFile(join(target, "early"), "utf8")).toBe("early");
    await expect(writeFile(join(target, "new"), "")).rejects.toThrow("EROFS");
  });

  test("read-only on a writable device still has the last that was written before a crash", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const loop = await bench.loop(800);
    const disk = await bench.map(linear(loop, 400));
    await filesystems.make(type, disk.device, []);
    const target = await bench.mountPoint("m");
    await filesystems.mount(mountOf(type, disk.device, target));
    await writeDurably(join(target, "late"), "late");
    await copyBehind(loop, disk.device, 400);
    await filesystems.unmount(target);
    await dmsetup(["remove", disk.name]);
    const crashed = await bench.map(linear(loop, 400, 400));
    await filesystems.check(type, crashed.device);
    await filesystems.mount(mountOf(type, crashed.device, target, true));
    expect(await readFile(join(target, "late"), "utf8")).toBe("late");
    await expect(writeFile(join(target, "new"), "")).rejects.toThrow("EROFS");
  });

  test("a clone is mounted beside its origin, and what is written to one is not in the other", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const loop = await bench.loop(800);
    const origin = await bench.map(linear(loop, 400));
    await filesystems.make(type, origin.device, []);
    const [first, second] = [await bench.mountPoint("origin"), await bench.mountPoint("clone")];
    await filesystems.mount(mountOf(type, origin.device, first));
    await writeDurably(join(first, "shared"), "shared");
    await dmsetup(["suspend", origin.name]);
    await copyBehind(loop, loop, 400);
    await dmsetup(["resume", origin.name]);
    const clone = await bench.map(linear(loop, 400, 400));
    await filesystems.renewIdentity(type, clone.device);
    await filesystems.check(type, clone.device);
    await filesystems.mount(mountOf(type, clone.device, second));
    await appendFile(join(second, "shared"), "-clone");
    await appendFile(join(first, "shared"), "-origin");
    expect([await readFile(join(first, "shared"), "utf8"), await readFile(join(second, "shared"), "utf8")]).toEqual(["shared-origin", "shared-clone"]);
    const devices = (await filesystems.mounts()).filter(({ target }) => target === first || target === second).map(({ minor }) => minor);
    expect(devices).toEqual([origin.minor, clone.minor]);
  });

  test("the smallest size promised can be made and written", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const { device } = await bench.disk(filesystems.minimumBytes(type) / 2 ** 20);
    await filesystems.make(type, device, []);
    const target = await bench.mountPoint("m");
    await filesystems.mount(mountOf(type, device, target));
    await writeDurably(join(target, "file"), "x".repeat(2 ** 20));
  });

  test("a filesystem in use is never formatted over", async () => {
    await using bench = await Bench.set();
    const { filesystems } = bench;
    const { device } = await bench.disk(400);
    await filesystems.make(type, device, []);
    const target = await bench.mountPoint("m");
    await filesystems.mount(mountOf(type, device, target));
    for (const other of FILESYSTEM_TYPES) await expect(filesystems.make(other, device, [])).rejects.toMatchObject({ facts: { code: "program-failed" } });
    await writeDurably(join(target, "file"), "x");
  });
});

test("a mount that should be writable and cannot be fails, and one that the user wants read-only is", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const loop = await bench.loop(32);
  const disk = await bench.map(linear(loop, 32));
  await filesystems.make("ext4", disk.device, []);
  const target = await bench.mountPoint("m");
  await filesystems.mount({ ...mountOf("ext4", disk.device, target), options: ["ro"] });
  expect((await filesystems.mounts()).at(-1)).toMatchObject({ target, readOnly: true });
  await filesystems.unmount(target);
  await dmsetup(["remove", disk.name]);
  const protectedDisk = await bench.map(linear(loop, 32), ["--readonly"]);
  await expect(filesystems.mount(mountOf("ext4", protectedDisk.device, target))).rejects.toMatchObject({ facts: { code: "program-failed" } });
});

test("a mount below a symbolic link, as a moved kubelet folder is, is found and taken off by the path it was given", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(32);
  await filesystems.make("ext4", device, []);
  const target = await bench.mountPoint("m");
  const link = join(bench.folder, "link");
  await symlink(bench.folder, link);
  await filesystems.mount(mountOf("ext4", device, join(link, "m")));
  expect((await filesystems.mounts()).at(-1)?.target).toBe(target);
  expect(await filesystems.unmount(join(link, "m"))).toBe("unmounted");
});

test("a folder is bound, read-only where asked, and everything stacked on a target comes off at once", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const { device } = await bench.disk(32);
  await filesystems.make("ext4", device, []);
  const [staged, target] = [await bench.mountPoint("staged"), await bench.mountPoint("target")];
  await filesystems.mount(mountOf("ext4", device, staged));
  await filesystems.bind(staged, target, { readOnly: true, mountOptions: ["noexec"] });
  expect((await filesystems.mounts()).at(-1)).toMatchObject({ target, root: "/", readOnly: true, options: expect.arrayContaining(["ro", "noexec"]) });
  await expect(writeFile(join(target, "file"), "")).rejects.toThrow("EROFS");
  await writeFile(join(staged, "file"), "");
  await filesystems.bind(staged, target, { readOnly: false });
  expect((await readdir(target)).toSorted()).toEqual(["file", "lost+found"]);
  expect(await filesystems.unmount(target)).toBe("unmounted");
  expect((await filesystems.mounts()).filter((mount) => mount.target === target)).toEqual([]);
});

test("a block volume's device node is bound to a file, and seen as that device", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const disk = await bench.disk(4);
  const target = bench.target("block");
  await filesystems.makeTarget(target, "file");
  await filesystems.bind(disk.device, target, { readOnly: false });
  await filesystems.makeTarget(target, "file");
  expect(await deviceNumberOf(target)).toEqual({ major: disk.major, minor: disk.minor });
  expect((await filesystems.mounts()).at(-1)).toMatchObject({ target, root: `/dm-${disk.minor}` });
  await expect(filesystems.removeTarget(target)).rejects.toMatchObject({ facts: { code: "path-unusable" } });
  expect(await filesystems.unmount(target)).toBe("unmounted");
  await filesystems.removeTarget(target);
});

test("a bind that fails leaves nothing mounted", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const [source, target] = [await bench.mountPoint("source"), join(bench.folder, "file")];
  await writeFile(target, "");
  await expect(filesystems.bind(source, target, { readOnly: true })).rejects.toMatchObject({ facts: { code: "program-failed" } });
  expect((await filesystems.mounts()).filter((mount) => mount.target === target)).toEqual([]);
});
