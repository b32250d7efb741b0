import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { DeviceMapper, ListedDevice } from "../../src/devicemapper/device-mapper.ts";
import { deviceOf } from "../../src/filesystem/device-number.ts";
import { parseMountinfo, type MountEntry } from "../../src/filesystem/mountinfo.ts";
import { holdersOf } from "./holders.ts";

/** The scratch disks of the guest that this runs in; none elsewhere. */
export const labDisks: readonly string[] = (process.env["LAB_DISKS"] ?? "").split(" ").filter((path) => path !== "");

/** In a guest of the lab there is nobody but tests. */
const IS_GUEST = process.env["LAB_GUEST"] === "yes";

/** Tests keep their state, and the files of their loop devices, below these. */
const FOLDERS = [join(tmpdir(), "dmthin-"), "/dev/shm/dmthin-"];
/** What our tests make that may lie on nothing; on a machine of one's own it may be a driver's in use. */
const UUIDS = /^(DMTHIN|CONTRACT)-/;
/** The name of what somebody still has open: an empty shell that holds nothing. */
export const SHELL = "left-open-";

/** All devices but those shells. */
export const devices = (dm: DeviceMapper): readonly ListedDevice[] => dm.list().filter(({ name }) => !name.startsWith(SHELL));

export interface Standing {
  readonly devices: readonly ListedDevice[];
  readonly mounts: readonly MountEntry[];
  /** "/dev/loop0" */
  readonly loops: readonly string[];
}

/**
 * All that stands on the lab's disks or on loop devices of tests, is mounted in a test's folder, or, in a guest, is ours by
 * its uuid; from the bottom up.
 * @param known loop devices that were told before: with the mount that their files are in their paths are gone
 */
export function standing(dm: DeviceMapper, known: Iterable<string> = [], isGuest = IS_GUEST): Standing {
  const mounted = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  const listed = new Map(devices(dm).map((device) => [`dm-${device.minor}`, device]));
  const found = new Set<string>();
  const mounts = new Set<MountEntry>();
  const loops = new Set<string>();
  const look = (block: string): void => {
    for (const mount of mounted.filter((each) => isOn(block, each))) {
      mounts.add(mount);
      for (const loop of loopsBelow([`${mount.target}/`])) {
        if (loops.has(loop)) continue;
        loops.add(loop);
        look(basename(loop));
      }
    }
    for (const holder of holdersOf(block)) {
      found.delete(holder); // it stands on this one too
      found.add(holder);
      look(holder);
    }
  };
  const ours = [...listed].flatMap(([block, { uuid }]) => (isGuest && UUIDS.test(uuid) ? [block] : []));
  for (const mount of mounted) if (FOLDERS.some((folder) => mount.target.startsWith(folder))) mounts.add(mount);
  for (const loop of known) if (isBound(loop)) loops.add(loop);
  for (const root of [...labDisks, ...testLoops(), ...loops]) look(basename(root));
  for (const block of ours.filter((each) => !found.has(each))) {
    found.add(block);
    look(block);
  }
  return {
    devices: [...found].flatMap((block) => listed.get(block) ?? []),
    mounts: mounted.filter((mount) => mounts.has(mount)),
    loops: [...loops],
  };
}

/** btrfs has device numbers of its own, so that only its source tells. */
const isOn = (block: string, { source, major, minor }: MountEntry): boolean =>
  [`${major}:${minor}`, source.startsWith("/dev/") ? nodeOf(source) : undefined].includes(numberOf(block) ?? "none");

function numberOf(block: string): string | undefined {
  const told = `/sys/class/block/${block}/dev`;
  return existsSync(told) ? readFileSync(told, "utf8").trim() : undefined;
}

function nodeOf(path: string): string | undefined {
  const rdev = statSync(path, { throwIfNoEntry: false })?.rdev;
  if (rdev === undefined) return undefined;
  const { major, minor } = deviceOf(rdev);
  return `${major}:${minor}`;
}

const isBound = (loop: string): boolean => existsSync(`/sys/class/block/${basename(loop)}/loop/backing_file`);

/** On files of tests. */
export const testLoops = (): readonly string[] => loopsBelow(FOLDERS);

/** The loop devices whose files' paths begin so. */
const loopsBelow = (beginnings: readonly string[]): readonly string[] =>
  readdirSync("/sys/class/block")
    .filter((block) => existsSync(`/sys/class/block/${block}/loop/backing_file`))
    .filter((block) => beginnings.some((beginning) => readFileSync(`/sys/class/block/${block}/loop/backing_file`, "utf8").startsWith(beginning)))
    .map((block) => `/dev/${block}`);
