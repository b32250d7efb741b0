import { expect, jest, test } from "@jest/globals";
import { join } from "node:path";
import { run } from "../../../src/exec/run.ts";
import { Bench, dmsetup } from "./bench.ts";

jest.setTimeout(60_000);

/** The features that xfs_info names, as name=0 or 1. */
async function featuresOf(device: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await run(["xfs_db", "-r", "-c", "info", device]);
  return new Map(
    [...stdout.matchAll(/(crc|finobt|sparse|rmapbt|reflink|bigtime|inobtcount|nrext64|exchange|metadir|parent)=(\d)/g)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
}

test.each(["5.15", "6.1", "6.6", "6.12"])("on Linux %s mkfs.xfs switches on what that kernel can mount, as xfsprogs itself lists it", async (kernelRelease) => {
  await using bench = await Bench.set({ kernelRelease: `${kernelRelease}.0-lab` });
  const [ours, theirs] = [await bench.disk(320), await bench.disk(320)];
  await bench.filesystems.make("xfs", ours.device, []);
  await run(["mkfs.xfs", "-q", "-K", "-f", "-c", `options=/usr/share/xfsprogs/mkfs/lts_${kernelRelease}.conf`, theirs.device]);
  expect(await featuresOf(ours.device)).toEqual(await featuresOf(theirs.device));
});

test("no feature that mkfs.btrfs switches on by itself is newer than the oldest kernel", async () => {
  await using bench = await Bench.set({ kernelRelease: "5.15.0" });
  const { device } = await bench.disk(200);
  await bench.filesystems.make("btrfs", device, []);
  const { stdout } = await run(["btrfs", "inspect-internal", "dump-super", device]);
  expect(stdout).toMatch(/FREE_SPACE_TREE/);
  expect(stdout).not.toMatch(/BLOCK_GROUP_TREE|RAID_STRIPE_TREE|SIMPLE_QUOTA/);
});

test("the user's options win over ours", async () => {
  await using bench = await Bench.set({ kernelRelease: "5.15.0" });
  const { filesystems } = bench;
  const [ext4, xfs, btrfs] = [await bench.disk(64), await bench.disk(320), await bench.disk(200)];
  await filesystems.make("ext4", ext4.device, ["-E", "stride=16", "-Elazy_itable_init=1", "-L", "mine", "-O", "^has_journal"]);
  const { stdout: ext4Info } = await run(["dumpe2fs", "-h", ext4.device]);
  expect(ext4Info).toMatch(/volume name: +mine/);
  expect(ext4Info).toMatch(/RAID stride: +16/);
  expect(ext4Info).not.toContain("has_journal");
  await filesystems.make("xfs", xfs.device, ["-i", "nrext64=1", "-m", "crc=1"]);
  const features = await featuresOf(xfs.device);
  expect([features.get("nrext64"), features.get("rmapbt")]).toEqual(["1", "0"]);
  await filesystems.make("btrfs", btrfs.device, ["-O", "block-group-tree"]);
  expect((await run(["btrfs", "inspect-internal", "dump-super", btrfs.device])).stdout).toContain("BLOCK_GROUP_TREE");
});

test("an option cannot bring a second device or the host's files into it", async () => {
  await using bench = await Bench.set();
  const { device } = await bench.disk(64);
  await expect(bench.filesystems.make("ext4", device, ["-d", "/etc"])).rejects.toMatchObject({ facts: { code: "invalid-argument" } });
});

test("a new ext4 of 10 GiB takes little of its pool, then and after it was mounted, and is sound", async () => {
  await using bench = await Bench.set();
  const { filesystems } = bench;
  const [metadata, data] = [await bench.disk(16), await bench.disk(600)];
  const pool = await bench.map(`0 ${600 * 2048} thin-pool ${metadata.device} ${data.device} 128 0`);
  await dmsetup(["message", pool.name, "0", "create_thin 1"]);
  const thin = await bench.map(`0 ${10 * 1024 * 2048} thin ${pool.device} 1`);
  const mappedMiB = async () => Number((await dmsetup(["status", thin.name])).stdout.trim().split(" ")[3]) / 2048;
  await filesystems.make("ext4", thin.device, []);
  expect(await mappedMiB()).toBeLessThan(16);
  const target = await bench.mountPoint("m");
  await filesystems.mount({ device: thin.device, target, type: "ext4", readOnly: false, options: ["init_itable=0"] });
  await run(["dd", "if=/dev/zero", `of=${join(target, "file")}`, "bs=1M", "count=8", "conv=fsync"]);
  expect(await mappedMiB()).toBeLessThan(32);
  expect(await filesystems.unmount(target)).toBe("unmounted");
  await run(["e2fsck", "-f", "-n", thin.device]);
});
