import { describe, expect, test } from "@jest/globals";
import { optionList, requireDevice } from "../../../src/filesystem/mount.ts";
import { requireNoPaths } from "../../../src/filesystem/mkfs-options.ts";
import { TYPES } from "../../../src/filesystem/types.ts";

const { ext4, xfs, btrfs } = TYPES;
const OLD = [5, 15] as const;
const NEW = [6, 12] as const;

describe("mkfs", () => {
  test("ext4's extended options keep ours when the user adds some, since mke2fs hears the last list only", () => {
    expect(ext4.makeArgv(NEW, "/dev/dm-1", ["-E", "stride=16", "-Enodiscard,discard", "-m", "0"])).toEqual([
      "mkfs.ext4",
      "-q",
      "-F",
      "-E",
      "nodiscard,assume_storage_prezeroed=1,stride=16,nodiscard,discard",
      "-m",
      "0",
      "/dev/dm-1",
    ]);
  });

  test("xfs is not told twice what the user decides, since mkfs.xfs refuses that", () => {
    expect(xfs.makeArgv(OLD, "/dev/dm-1", [])).toEqual(["mkfs.xfs", "-q", "-K", "-f", "-i", "nrext64=0", "-m", "rmapbt=0", "/dev/dm-1"]);
    expect(xfs.makeArgv(OLD, "/dev/dm-1", ["-mreflink=0,rmapbt=1", "-i", "size=1024"])).toEqual([
      "mkfs.xfs",
      "-q",
      "-K",
      "-f",
      "-i",
      "nrext64=0",
      "-mreflink=0,rmapbt=1",
      "-i",
      "size=1024",
      "/dev/dm-1",
    ]);
    expect(xfs.makeArgv(NEW, "/dev/dm-1", [])).toEqual(["mkfs.xfs", "-q", "-K", "-f", "/dev/dm-1"]);
  });

  test("btrfs' features of newer kernels are off on older ones unless the user wants them", () => {
    expect(btrfs.makeArgv(OLD, "/dev/dm-1", ["-O", "block-group-tree"])).toEqual([
      "mkfs.btrfs",
      "-q",
      "-K",
      "-f",
      "-O",
      "^block-group-tree",
      "-O",
      "block-group-tree",
      "/dev/dm-1",
    ]);
    expect(btrfs.makeArgv(NEW, "/dev/dm-1", [])).toEqual(["mkfs.btrfs", "-q", "-K", "-f", "/dev/dm-1"]);
  });

  test("no option names a second device to format, or a folder of the host to copy in", () => {
    expect(() => requireNoPaths(["-m", "0", "-E", "stride=16,nodiscard"])).not.toThrow();
    expect(() => requireNoPaths(["/dev/sda"])).toThrow('mkfs option "/dev/sda" names a path');
    expect(() => requireNoPaths(["-d", "../etc", "logdev=/dev/sdb"])).toThrow(/"\.\.\/etc".*"logdev=\/dev\/sdb"/);
  });
});

describe("mount", () => {
  test("xfs clones are mounted beside their origin, and nothing is replayed onto a device that refuses writes", () => {
    const writable = { readOnly: true, deviceReadOnly: false };
    const readOnly = { readOnly: true, deviceReadOnly: true };
    expect([ext4, xfs, btrfs].map((type) => type.mountOptions(writable))).toEqual([[], ["nouuid"], []]);
    expect([ext4, xfs, btrfs].map((type) => type.mountOptions(readOnly))).toEqual([["noload"], ["nouuid", "norecovery"], ["rescue=nologreplay"]]);
  });

  test("options that would break the table of mounts are refused, all at once", () => {
    expect(optionList(["noatime", "commit=30", 'context="a,b"'])).toEqual(["-o", 'noatime,commit=30,context="a,b"']);
    expect(optionList([])).toEqual([]);
    expect(() => optionList(["ok", "a\nb", "", "c\0"])).toThrow(/"a\\nb".*"".*"c\\u0000"/);
  });

  test("only a device right below /dev is ever formatted or mounted", () => {
    expect(() => requireDevice("/dev/dm-70001")).not.toThrow();
    for (const device of ["dm-1", "/dev/../etc/passwd", "/etc/passwd", "--help", "/dev/dm-1 -o", ""])
      expect(() => requireDevice(device)).toThrow("cannot be used");
  });
});
