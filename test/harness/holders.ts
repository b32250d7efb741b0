import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, statSync, type Stats } from "node:fs";
import { basename } from "node:path";
import { deviceOf } from "../../src/filesystem/device-number.ts";
import { processName } from "./children.ts";

/**
 * This process's own descriptors of a block device lead nowhere from now on: a test that failed has left them, in the one
 * process that all test files run in. The numbers stay taken, so that whoever closes one late closes nobody else's.
 */
export function letGo(device: string): void {
  const { rdev } = statSync(device);
  for (const fd of readdirSync("/proc/self/fd").map(Number))
    if (
      isDevice(
        statOf(() => fstatSync(fd)),
        rdev,
      )
    )
      leadNowhere(fd);
}

/** The new descriptor is always the lowest that is free. */
function leadNowhere(fd: number): void {
  closeSync(fd);
  const lower: number[] = [];
  let opened = openSync("/dev/null", "r");
  for (; opened < fd; opened = openSync("/dev/null", "r")) lower.push(opened);
  for (const each of lower) closeSync(each);
}

/** Who keeps a block device from others, for a message: open files, the device's own or those of a filesystem on it, mounts, devices on it. */
export function holders(device: string): string {
  const rdev = statSync(device, { throwIfNoEntry: false })?.rdev;
  if (rdev === undefined) return "gone meanwhile";
  const { major, minor } = deviceOf(rdev);
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const openIn = processes.filter((pid) => openFiles(pid).some((stat) => isDevice(stat, rdev) || stat?.dev === rdev));
  const mountedIn = processes.filter((pid) => mountsOf(pid).includes(` ${major}:${minor} `));
  const told = [
    ...openIn.map((pid) => `process ${processName(pid)} has it open`),
    ...mountedIn.map((pid) => `process ${processName(pid)} sees it mounted`),
    ...holdersOf(basename(device)).map((holder) => `${holder} stands on it`),
  ];
  return told.length === 0 ? "the kernel alone holds it" : told.join(", ");
}

const isDevice = (stat: Stats | undefined, rdev: number): boolean => stat?.isBlockDevice() === true && stat.rdev === rdev;

const openFiles = (pid: string): readonly (Stats | undefined)[] =>
  ["cwd", "root", ...descriptorsOf(pid)].map((link) => statOf(() => statSync(`/proc/${pid}/${link}`)));

/** What may have ended, or been closed, since it was listed. */
function statOf(ask: () => Stats): Stats | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function descriptorsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`);
  } catch {
    return [];
  }
}

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  } catch {
    return "";
  }
}

/** "dm-3" */
export const holdersOf = (block: string): readonly string[] => {
  const folder = `/sys/class/block/${block}/holders`;
  return existsSync(folder) ? readdirSync(folder) : [];
};
