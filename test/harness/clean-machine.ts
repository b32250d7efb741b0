import { closeSync, constants, fsyncSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { DeviceMapper, ListedDevice } from "../../src/devicemapper/device-mapper.ts";
import { KernelDeviceMapper } from "../../src/devicemapper/kernel.ts";
import { MiB } from "../../src/units.ts";
import { endChildren, processName, runningAfter } from "./children.ts";
import { holders, letGo } from "./holders.ts";
import { pause } from "./pause.ts";
import { ended, output } from "./program.ts";
import { labDisks, SHELL, standing, testLoops } from "./standing.ts";

/** Far longer than the kernel takes to let go of what nobody has open any more. */
const LETTING_GO_MS = 5_000;
/** At both ends of a disk: as much as any test writes there by which something is known. */
const END_BYTES = 2 * MiB;

/** For the beginning of a test file: the machine as it was before any other, whatever they have left behind, and running. */
export function freeMachine(): void {
  const late = endChildren(LETTING_GO_MS);
  cleanMachine();
  if (late.length > 0) {
    const stuck = runningAfter(LETTING_GO_MS, () => late);
    if (stuck.length > 0) throw new Error(`processes of other tests do not end: ${stuck.map((pid) => processName(pid)).join(", ")}`);
    cleanMachine(); // what they have done meanwhile
  }
  detach();
}

/** What somebody has open is detached when he closes it. */
function detach(): void {
  const end = performance.now() + LETTING_GO_MS;
  for (let loops = testLoops(); loops.length > 0; loops = testLoops()) {
    if (performance.now() > end) throw new Error(`what other tests have left cannot be detached: ${heldBy(loops)}`);
    for (const loop of loops) {
      ended("losetup", ["--detach", loop]);
      letGo(loop);
    }
    pause(5);
  }
}

const heldBy = (blocks: readonly string[]): string => blocks.map((block) => `${block} (${holders(block)})`).join(", ");

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
  const loops = new Set<string>();
  for (let left = standing(dm); left.devices.length + left.mounts.length + left.loops.length > 0; left = standing(dm, loops)) {
    const lateMs = performance.now() - end;
    const blocks = [...left.devices.map(({ minor }) => `/dev/dm-${minor}`), ...left.loops];
    if (lateMs > LETTING_GO_MS) throw new Error(`what other tests have left cannot be taken down: ${heldBy(blocks)}; ${JSON.stringify(left)}`);
    for (const device of left.devices) resume(dm, device);
    for (const { target } of left.mounts.toReversed()) ended("umount", ["--lazy", target]);
    for (const loop of left.loops) {
      loops.add(loop);
      ended("losetup", ["--detach", loop]);
      letGo(loop);
    }
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

/** Both ends, far enough for what any test puts there. Throws when somebody keeps the disk for himself. */
function blank(disk: string): void {
  const fd = openAlone(disk);
  const size = Number(readFileSync(`/sys/class/block/${basename(disk)}/size`, "utf8")) * 512;
  for (const from of [0, size - END_BYTES]) writeSync(fd, Buffer.alloc(END_BYTES), 0, END_BYTES, from);
  fsyncSync(fd);
  closeSync(fd);
}

/** A filesystem lives on for a moment after its mount is gone. */
function openAlone(disk: string): number {
  const end = performance.now() + LETTING_GO_MS;
  for (;;) {
    try {
      return openSync(disk, constants.O_RDWR | constants.O_EXCL);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EBUSY") throw cause; // no instanceof: jest has an Error of its own
      if (performance.now() > end) throw new Error(`${disk} stays taken: ${holders(disk)}`, { cause });
    }
    letGo(disk);
    pause(5);
  }
}
