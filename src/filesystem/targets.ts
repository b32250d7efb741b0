import { lstat, mkdir, open, realpath, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DmthinError } from "../errors.ts";

const unusable = (path: string, reason: string, cause?: unknown): DmthinError => new DmthinError({ code: "path-unusable", path, reason }, { cause });

/** Refuses what is relative, goes upwards, is the root, or that mountinfo and programs could not be told. */
function requireTarget(path: string): void {
  const parts = path.split("/");
  if (!path.startsWith("/")) throw unusable(path, "it is not absolute");
  if (parts.includes("..")) throw unusable(path, 'it goes upwards ("..")');
  if (parts.every((part) => part === "" || part === ".")) throw unusable(path, "it is the root");
  if (path.includes("\0")) throw unusable(path, "it has a NUL in it");
}

/**
 * The path as mountinfo tells it: without symbolic links, save that the last component is left as it is, since what is
 * mounted there may not answer. A path whose parent is missing is handed back as it came.
 */
export async function canonicalTarget(path: string): Promise<string> {
  requireTarget(path);
  const plain = join(path, ".").replace(/(?<=.)\/$/, "");
  try {
    return join(await realpath(dirname(plain)), basename(plain));
  } catch {
    return plain;
  }
}

/** Makes only the last component: the folders above are the orchestrator's. Never goes through a link there. */
export async function makeTarget(path: string, kind: "directory" | "file"): Promise<void> {
  requireTarget(path);
  try {
    if (kind === "directory") await mkdir(path, { mode: 0o750 });
    else await (await open(path, "wx", 0o660)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw unusable(path, "the folder it should lie in does not exist", error);
    if (code !== "EEXIST") throw unusable(path, message, error);
    await requireKind(path, kind);
  }
}

async function requireKind(path: string, kind: "directory" | "file"): Promise<void> {
  const found = await lstat(path);
  // A device node is what a file becomes when a block volume is bound to it.
  const fits = kind === "directory" ? found.isDirectory() : found.isFile() || found.isBlockDevice();
  if (!fits) throw unusable(path, `it exists, and is not a ${kind}`);
}

/** Removes nothing that anybody put there: an empty folder or an empty file only. */
export async function removeTarget(path: string): Promise<void> {
  requireTarget(path);
  try {
    const found = await lstat(path);
    if (found.isDirectory()) await rmdir(path);
    else if (!found.isFile()) throw unusable(path, "it is neither a folder nor a file");
    else if (found.size > 0) throw unusable(path, "the file is not empty");
    else await unlink(path);
  } catch (error) {
    if (error instanceof DmthinError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    const reasons: Readonly<Record<string, string>> = { ENOTEMPTY: "it is not empty", EBUSY: "something is mounted on it" };
    throw unusable(path, reasons[code ?? ""] ?? message, error);
  }
}
