import { existsSync } from "node:fs";
import { lstat, readlink, rename, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { aptReason } from "./apt.ts";
import { cached, cacheFolder, withCacheLock } from "./cache.ts";
import { openKernelSource, type KernelSource } from "./kernel-package.ts";
import { say, step } from "./progress.ts";
import { smokeTest } from "./smoke-test.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const LOOK_AGAIN_MS = 7 * DAY_MS;

/** The link in the cache that names the last kernel that passed its smoke test; its time is when we last looked. */
const GOOD = "kernel-good";

/** How a kernel is found and tried; tests of the choice put others in place. */
export interface KernelMeans {
  readonly openSource: () => Promise<KernelSource>;
  /** Rejects when the kernel in that folder is not fit for use. */
  readonly smokeTest: (folder: string) => Promise<void>;
}

/**
 * The guest's kernel, unpacked. sid moves, so a newer package is looked for once a week, and taken when it passes its
 * smoke test; else, or without a network, the last good one stays.
 * @returns its folder in the cache
 */
export async function kernel(userland: string): Promise<string> {
  return chooseKernel({ openSource: () => openKernelSource(userland), smokeTest: (folder) => smokeTest(userland, folder) });
}

export async function chooseKernel(means: KernelMeans): Promise<string> {
  const good = await lastGood();
  if (good !== undefined && !good.old) return good.folder;
  return withCacheLock("kernel", async () => {
    const now = await lastGood(); // somebody else may have looked while we waited
    if (now !== undefined && !now.old) return now.folder;
    try {
      return await step("looking for the newest kernel (user-mode-linux)", () => newest(means, now?.folder));
    } catch (cause) {
      if (now === undefined) throw new Error(`the guest's kernel cannot be had: ${aptReason(cause)}`, { cause });
      say(`no newer kernel (${aptReason(cause)}): using the last good one, ${basename(now.folder)}`);
      await markGood(now.folder);
      return now.folder;
    }
  });
}

async function lastGood(): Promise<{ folder: string; old: boolean } | undefined> {
  const link = join(await cacheFolder(), GOOD);
  const folder = await readlink(link).catch(() => undefined);
  if (folder === undefined || !existsSync(folder)) return undefined;
  return { folder, old: Date.now() - (await lstat(link)).mtimeMs >= LOOK_AGAIN_MS };
}

async function markGood(folder: string): Promise<void> {
  const link = join(await cacheFolder(), GOOD);
  const draft = `${link}.${process.pid}`;
  await symlink(folder, draft);
  await rename(draft, link);
}

async function newest(means: KernelMeans, good: string | undefined): Promise<string> {
  await using source = await means.openSource();
  const folder = await cached(`kernel-${source.version}`, (draft) => source.unpackInto(draft));
  if (folder !== good) await prove(means, folder, good !== undefined);
  await markGood(folder);
  return folder;
}

/** A kernel that failed once is not tried again, as long as there is another. */
async function prove(means: KernelMeans, folder: string, another: boolean): Promise<void> {
  const failed = `${folder}.failed`;
  const name = basename(folder);
  if (another && existsSync(failed)) throw new Error(`${name} failed its smoke test before`);
  try {
    await step(`smoke test of ${name}`, () => means.smokeTest(folder));
  } catch (cause) {
    await writeFile(failed, String(cause));
    throw new Error(`${name} fails its smoke test: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
