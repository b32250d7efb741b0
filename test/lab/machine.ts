import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

/** What every guest of this computer is booted from; all of it is in the cache, and guests only read it. */
export interface Machine {
  /** The root file system's folder. */
  readonly userland: string;
  /** The unpacked kernel package's folder. */
  readonly kernel: string;
  readonly cache: string;
  /** An empty folder, on which each guest mounts its own root, unseen by the others. */
  readonly mountPoint: string;
}

export async function machineWith(userland: string, kernel: string): Promise<Machine> {
  const cache = await cacheFolder();
  const mountPoint = join(cache, "mount");
  await mkdir(mountPoint, { recursive: true });
  return { userland, kernel, cache, mountPoint };
}
