import { closeSync, constants, fsyncSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { DeviceMapper, ListedDevice } from "../../src/devicemapper/device-mapper.ts";
import { KernelDeviceMapper } from "../../src/devicemapper/kernel.ts";
import { MiB } from "../../src/units.ts";
import { endChildren } from "./children.ts";
import { ended, output } from "./program.ts";
import { labDisks, SHELL, standing, testLoops } from "./standing.ts";

/** Far longer than the kernel takes to let go of what nobody has open any more. */
const LETTING_GO_MS = 5_000;
/** At both ends of a disk: as much as any test writes there by which something is known. */
const END_BYTES = 2 * MiB;

/** For the beginning of a test file: the machine as it was before any other, whatever they have left behind, and running. */
export function freeMachine(): void {
  endChildren();
  cleanMachine();
  for (const loop of testLoops()) ended("losetup", ["--detach", loop]);
}

/**
 * Mounts, loop devices, devices of device-mapper: what standing.ts finds is taken down. Then the disks are as new, by both ends of each.
 * @param disks those that become as new
 */
export function cleanMachine(disks = labDisks): void {
  const dm = new KernelDeviceMapper();
  try {
    takeDown(dm);
    removeStaleLinks(dm);
  } finally {
    dm.close();
  }
  rmSync("/run/lvm/hints", { force: true }); // LVM believes them, and nobody has told it
  for (const disk of disks) blank(disk);
}

function takeDown(dm: DeviceMapper): void {
  const end = performance.now() + LETTING_GO_MS;
  for (let left = standing(dm); left.devices.length + left.mounts.length > 0; left = standing(dm)) {
    const lateMs = performance.now() - end;
    if (lateMs > LETTING_GO_MS) throw new Error(`what other tests have left cannot be taken down: ${JSON.stringify(left)}`);
    for (const device of left.devices) resume(dm, device);
    for (const { target } of left.mounts.toReversed()) ended("umount", ["--lazy", target]);
    for (const loop of left.loops) ended("losetup", ["--detach", loop]);
    for (const device of left.devices.toReversed()) if (!isRemoved(dm, device) && lateMs > 0) empty(device);
    pause(5);
  }
}

/** What is suspended holds up whoever looks at it, and is not removed. */
function resume(dm: DeviceMapper, { uuid, name }: ListedDevice): void {
  if (uuid === "") ended("dmsetup", ["resume", name]);
  else if (dm.info(uuid)?.suspended === true) dm.resume(uuid);
}

/** Not one that others stand on, or that somebody has open. */
function isRemoved(dm: DeviceMapper, { uuid, name }: ListedDevice): boolean {
  try {
    if (uuid === "") output("dmsetup", ["remove", name]);
    else dm.remove(uuid);
  } catch {
    return uuid !== "" && dm.info(uuid) === undefined;
  }
  rmSync(join("/dev/mapper", name), { force: true }); // without udev nobody takes it away
  return true;
}

/** A device that somebody has open, as this process has the catalogue of a pool that a failed test never closed, gives back what it stands on. */
function empty({ name, minor }: ListedDevice): void {
  ended("dmsetup", ["wipe_table", "--force", "--noflush", "--nolockfs", name]);
  output("dmsetup", ["rename", name, `${SHELL}${minor}`]);
  rmSync(join("/dev/mapper", name), { force: true });
}

/** The links of volume groups that are no more. Where there is udev, it has taken them away, and they lead elsewhere. */
function removeStaleLinks(dm: DeviceMapper): void {
  const links = new Set(dm.list().map(({ name }) => `/dev/mapper/${name}`));
  const isStale = (link: string): boolean => link.startsWith("/dev/mapper/") && !links.has(link);
  for (const entry of readdirSync("/dev", { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join("/dev", entry.name);
    const inside = readdirSync(folder, { withFileTypes: true });
    if (inside.length > 0 && inside.every((link) => link.isSymbolicLink() && isStale(readlinkSync(join(folder, link.name)))))
      rmSync(folder, { recursive: true });
  }
}

/** Both ends, far enough for what any test puts there. Throws when somebody has the disk open for himself. */
export function blank(disk: string, length: number = END_BYTES): void {
  const fd = openSync(disk, constants.O_RDWR | constants.O_EXCL);
  const size = Number(readFileSync(`/sys/class/block/${basename(disk)}/size`, "utf8")) * 512;
  for (const from of [0, size - length]) writeSync(fd, Buffer.alloc(length), 0, length, from);
  fsyncSync(fd);
  closeSync(fd);
}

/** In these moments the kernel lets go of what has just been closed. */
const pause = (milliseconds: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
