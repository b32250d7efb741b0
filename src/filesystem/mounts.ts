import { readFile, stat } from "node:fs/promises";
import { deviceOf } from "./device-number.ts";
import type { Mount } from "./filesystems.ts";
import { parseMountinfo, type MountEntry } from "./mountinfo.ts";

/**
 * The mounts of this process's namespace. Since Linux 5.8 the file is consistent although it is read in pieces (the
 * reader has a cursor in the kernel's list).
 */
export async function mounts(): Promise<readonly Mount[]> {
  const entries = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  return Promise.all(entries.map(withDevice));
}

/** The last one lies on top. */
export const mountsAt = async (target: string): Promise<readonly Mount[]> => (await mounts()).filter((mount) => mount.target === target);

/** btrfs, which can span devices, has a number of its own; its source tells the device. */
async function withDevice({ source, ...mount }: MountEntry): Promise<Mount> {
  if (mount.type !== "btrfs" || !source.startsWith("/")) return mount;
  const found = await stat(source).catch(() => undefined);
  return found?.isBlockDevice() === true ? { ...mount, ...deviceOf(found.rdev) } : mount;
}
