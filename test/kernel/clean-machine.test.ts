import { afterEach, expect, jest, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelDeviceMapper } from "../../src/devicemapper/kernel.ts";
import { cleanMachine, freeMachine } from "../harness/clean-machine.ts";
import { output } from "../harness/program.ts";
import { labDisks, standing } from "../harness/standing.ts";

jest.setTimeout(120_000);
const [DISK = ""] = labDisks;
const ALONE = constants.O_RDWR | constants.O_EXCL;
const folder = mkdtempSync(join(tmpdir(), "dmthin-left-"));

afterEach(() => freeMachine());

/** Nobody else has it. */
function expectFree(disk: string): void {
  closeSync(openSync(disk, ALONE));
}

/** A file that is a loop device, on a filesystem on the first disk. */
function loopInside(): string {
  output("mkfs.ext4", ["-q", DISK]);
  output("mount", [DISK, folder]);
  const file = join(folder, "file");
  output("truncate", ["--size=16M", file]);
  return output("losetup", ["--find", "--show", file]).trim();
}

test("a disk that a test has left open for itself alone is free for the next one, and so is the descriptor's number for who closes it late", () => {
  const left = openSync(DISK, ALONE);
  expect(() => expectFree(DISK)).toThrow("EBUSY");
  freeMachine();
  expectFree(DISK);
  expect(readlinkSync(`/proc/self/fd/${left}`)).toBe("/dev/null");
  closeSync(left);
});

test("what a process that takes its time to end has open is free", async () => {
  const script = `const fd = require("node:fs").openSync("${DISK}", ${ALONE}); const much = Buffer.alloc(2 ** 29, 1); console.log(fd); setInterval(() => much, 1000)`;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  expect(() => expectFree(DISK)).toThrow("EBUSY");
  freeMachine();
  expectFree(DISK);
});

test("a loop device on a file of a filesystem that is taken down goes too, though somebody has it open", () => {
  const loop = loopInside();
  const left = openSync(loop, "r");
  freeMachine();
  expect(output("losetup", ["--noheadings", "--output", "NAME"])).not.toContain(loop);
  expectFree(DISK);
  closeSync(left);
});

test("who keeps a disk is named", () => {
  const pid = output("sh", ["-c", `setsid sleep 1000 3<> ${DISK} > /dev/null 2>&1 & echo $!`]).trim();
  output("mkfs.ext4", ["-q", DISK]);
  output("mount", [DISK, folder]);
  const inside = output("sh", ["-c", `cd ${folder} && { setsid sleep 1000 > /dev/null 2>&1 & echo $!; }`]).trim();
  try {
    expect(() => cleanMachine()).toThrow(`${DISK} stays taken: process ${pid} (sleep) has it open, process ${inside} (sleep) has it open`);
  } finally {
    for (const each of [pid, inside]) process.kill(Number(each), "SIGKILL");
  }
});

test("outside a guest a device is not the tests' because of its uuid", () => {
  const dm = new KernelDeviceMapper();
  output("dmsetup", ["create", "in-use", "--uuid", "DMTHIN-in-use", "--table", "0 8 zero"]);
  output("dmsetup", ["create", "on-disk", "--uuid", "DMTHIN-on-disk", "--table", `0 8 linear ${DISK} 0`]);
  const names = (isGuest: boolean) => standing(dm, [], isGuest).devices.map(({ name }) => name);
  expect(names(false)).toEqual(["on-disk"]);
  expect(names(true)).toEqual(expect.arrayContaining(["on-disk", "in-use"]));
  output("dmsetup", ["remove", "in-use"]);
  dm.close();
});
