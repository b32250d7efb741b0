import { readlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DmthinError } from "../errors.ts";

const FOR_EVER = -1;
/** The kernel keeps them in an int. Source: fs/xfs/xfs_sysfs.c, max_retries_store. */
export const MAX_NOSPACE_RETRIES = 2 ** 31 - 1;

/**
 * What xfs does with metadata it cannot write because the pool is full; holds until the filesystem is unmounted. Rejects
 * with "kernel-failed" when no xfs is mounted from the device (ENOENT). Source: Documentation/admin-guide/xfs.rst, "Error handling".
 */
export async function setXfsNospaceRetries(sysRoot: string, major: number, minor: number, retries: number | "default"): Promise<void> {
  const device = `${major}:${minor}`;
  try {
    const name = basename(await readlink(join(sysRoot, "dev/block", device)));
    await writeFile(join(sysRoot, "fs/xfs", name, "error/metadata/ENOSPC/max_retries"), `${retries === "default" ? FOR_EVER : retries}\n`, { flag: "r+" });
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? "EIO";
    throw new DmthinError({ code: "kernel-failed", operation: "setting of xfs retries", subject: `device ${device}`, errno }, { cause });
  }
}
