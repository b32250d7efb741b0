import { open } from "node:fs/promises";
import { constants } from "node:fs";
import { DmthinError, isError } from "../errors.ts";
import type { Run } from "../exec/run.ts";
import { bytes, MiB } from "../units.ts";
import type { TypeOfFilesystem } from "./filesystem-type.ts";
import { joinedBehind } from "./mkfs-options.ts";

/**
 * A thin device with nothing mapped reads zeros, so mkfs need not write any: inode tables and journal count as zeroed. A
 * 10 GiB ext4 then maps 7 MiB, and goes on so. Written at once they take 231 MiB; left to the kernel after mounting
 * (lazily) 7, and soon 161, once more in every clone that was made before it had finished.
 * What an interrupted mkfs left is no danger: it writes where this one writes.
 */
const ON_ZEROS = { option: "-E", items: ["nodiscard", "assume_storage_prezeroed=1"] };

/** Corrected, and corrected with a wish to restart, which is for root filesystems. Source: e2fsck(8), "EXIT CODE". */
const SOUND = [0, 1, 2, 3];
const OPERATIONAL_ERROR = 8;

export const ext4: TypeOfFilesystem = {
  // From 8 MiB on it has a journal; below 16 that takes a tenth and more.
  minimumBytes: bytes(16 * MiB),
  // Not -n, which makes nothing, -S, which makes a part, -t, another type, nor -d, -l and -z, which name files. Source: mke2fs(8).
  usage: { values: "bCeEfgGiIJLmMNoOrTU", flags: "cDFjKqv" },
  // One -F: overwrites what is there, but not what is in use.
  makeArgv: (_kernel, device, options) => ["mkfs.ext4", "-q", "-F", ...joinedBehind(ON_ZEROS, options), device],
  mountOptions: ({ deviceReadOnly }) => (deviceReadOnly ? ["noload"] : []),
  growArgv: (device) => ["resize2fs", device],
  check,
};

/**
 * As at boot: replays the journal and repairs what is safe to repair. Rejects with "kernel-failed" and EBUSY when
 * something has the device in use, such as a lazily detached mount of it that is held; with "program-failed" when a
 * person is needed.
 */
async function check(device: string, run: Run, signal: AbortSignal | undefined): Promise<void> {
  try {
    await run(["e2fsck", "-p", device], { signal, neverKill: true, okExitCodes: SOUND });
  } catch (error) {
    if (isError(error, "program-failed") && error.facts.exitCode === OPERATIONAL_ERROR && (await isInUse(device))) {
      throw new DmthinError({ code: "kernel-failed", operation: "exclusive use", subject: device, errno: "EBUSY" }, { cause: error });
    }
    throw error;
  }
}

/** e2fsck has the same code for a superblock it cannot read, so the kernel is asked as e2fsck asked it. */
async function isInUse(device: string): Promise<boolean> {
  try {
    const file = await open(device, constants.O_RDONLY | constants.O_EXCL);
    await file.close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBUSY";
  }
}
