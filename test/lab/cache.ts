import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { locked } from "./lock.ts";

/** The folder of the user's cache that all checkouts share: `$XDG_CACHE_HOME/dmthin`, or `~/.cache/dmthin`. */
export async function cacheFolder(): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "dmthin");
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A short name for a recipe: a different recipe gives a different folder, so nothing stale is ever used. */
export function recipeHash(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

/** Runs work that changes the cache, one process at a time over all checkouts. */
export async function withCacheLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return locked(join(await cacheFolder(), `${name}.lock`), work);
}

/**
 * A folder of the cache, built when it is missing. It appears whole or not at all: `build` fills a folder beside it
 * that is then renamed. Two first runs build it once; the second waits.
 * @returns its absolute path
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const cache = await cacheFolder();
  const finished = join(cache, name);
  if (existsSync(finished)) return finished;
  return withCacheLock(name, async () => {
    if (existsSync(finished)) return finished;
    await removeDrafts(cache, name);
    const draft = await mkdtemp(join(cache, `${name}.draft-`));
    try {
      await build(draft);
      await rename(draft, finished);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return finished;
  });
}

/** What a build that was killed left behind; nobody else builds this now. */
async function removeDrafts(cache: string, name: string): Promise<void> {
  const drafts = (await readdir(cache)).filter((entry) => entry.startsWith(`${name}.draft-`));
  for (const draft of drafts) await rm(join(cache, draft), { recursive: true, force: true });
}
