import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { types } from "node:util";

/** What a file is called until it is whole. */
export const unfinishedOf = (path: string): string => `${path}.unfinished`;

/** On disk when it returns: whole, or as it was. Its folder must be there. */
export async function writeLasting(path: string, text: string, mode: number): Promise<void> {
  const file = await open(unfinishedOf(path), "w", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await putInPlace(unfinishedOf(path), path);
}

/** Gives a file that is on disk its name, in place of what had it: that is on disk too when it returns. Both are in one folder. */
export async function putInPlace(unfinished: string, path: string): Promise<void> {
  await rename(unfinished, path);
  await syncPath(dirname(path));
}

/** Of a folder: the names in it. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only ENOENT means that there is nothing: what cannot be looked at must never be taken for missing. */
export const isMissing = (error: unknown): boolean => types.isNativeError(error) && "code" in error && error.code === "ENOENT";

/** `await stat(path).catch(ignoreMissing)`: undefined where nothing is. */
export function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
