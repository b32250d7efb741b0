import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeviceMapper } from "../../../../src/devicemapper/device-mapper.ts";
import { examineDisk, type Finding } from "../../../../src/pool/backings/disk-examination.ts";
import { labelledDisks } from "../../../../src/pool/backings/lvm-labels.ts";
import { bytes, MiB } from "../../../../src/units.ts";

/** What stands in for sysfs. Its disk has no medium: nothing of /dev is opened for it. */
let sys: string;
beforeEach(() => void (sys = mkdtempSync(join(tmpdir(), "dmthin-sysfs-"))));
afterEach(() => rmSync(sys, { recursive: true }));

function write(file: string, content: string): void {
  mkdirSync(dirname(join(sys, file)), { recursive: true });
  writeFileSync(join(sys, file), content);
}

/** Neither there nor missing, for root too. */
function writeUnreadable(file: string): void {
  mkdirSync(dirname(join(sys, file)), { recursive: true });
  symlinkSync(join(sys, file), join(sys, file));
}

describe("which disks LVM is shown", () => {
  const dm = { list: () => [] } as Partial<DeviceMapper> as DeviceMapper;

  test.each(["slaves", "holders", "size"])("is not told while a disk's %s cannot be read", async (what) => {
    for (const each of ["slaves", "holders"].filter((other) => other !== what)) mkdirSync(join(sys, "sda", each), { recursive: true });
    writeUnreadable(`sda/${what}`);
    await expect(labelledDisks(dm, sys)).rejects.toMatchObject({ code: "ELOOP" });
  });

  test("leaves out one that has just gone, and a partition may lack what it stands on", async () => {
    mkdirSync(join(sys, "gone"));
    write("sda1/size", "0");
    expect(await labelledDisks(dm, sys)).toEqual([]);
  });
});

const run = async (): Promise<never> => Promise.reject(new Error("it was taken for nobody's"));

async function examine(): Promise<Finding> {
  const path = join(sys, "disk");
  writeFileSync(path, "");
  return examineDisk(run, { path, name: path, major: 8, minor: 0, sizeBytes: bytes(MiB), isNamed: false }, undefined, sys);
}

describe("who has a disk", () => {
  beforeEach(() => {
    write("8:0/ro", "0");
    write("8:0/uevent", "DEVNAME=sda");
    write("8:0/dev", "8:0");
  });

  test.each(["partition", "holders", "sda1/partition"])("is not told while %s cannot be read", async (what) => {
    writeUnreadable(`8:0/${what}`);
    await expect(examine()).rejects.toMatchObject({ code: "ELOOP" });
  });

  test("is nobody, where none of them is there", async () => {
    await expect(examine()).rejects.toThrow("it was taken for nobody's");
  });
});
