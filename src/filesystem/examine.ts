import { mkdir, rmdir } from "node:fs/promises";
import { isError } from "../errors.ts";
import { lastLines } from "../exec/failure.ts";
import type { Run } from "../exec/run.ts";
import type { FilesystemType } from "./filesystems.ts";

const SHOWN_LINES = 3;

/** What a whole check of a filesystem has found. */
export type Examined =
  | { readonly state: "clean" }
  /** Put right by the check; `detail` in its own words. */
  | { readonly state: "repaired"; readonly detail: string }
  /** A person is needed: nothing was changed beyond what is safe. */
  | { readonly state: "damaged"; readonly detail: string };

export interface ExamineOptions {
  /** Of a snapshot: nothing is written. */
  readonly readOnly: boolean;
  /** An empty place to mount at, for what only mounting replays. */
  readonly mountPoint: string;
}

/**
 * Checks all of a filesystem that is not mounted, not only whether it was left clean. ext4 is repaired where that is
 * safe, as at boot; xfs and btrfs, which replay what they have to when they are mounted, are read through.
 */
export async function examine(run: Run, type: FilesystemType, device: string, options: ExamineOptions): Promise<Examined> {
  switch (type) {
    case "ext4":
      return examineExt4(run, device, options);
    case "xfs":
      if (!options.readOnly) {
        const refusal = await replay(run, type, device, options.mountPoint);
        if (refusal !== undefined) return { state: "damaged", detail: refusal };
      }
      return readThrough(run, ["xfs_repair", "-n", device]);
    case "btrfs":
      return readThrough(run, ["btrfs", "check", "--readonly", device]);
  }
}

/** e2fsck(8), "EXIT CODE": 1 and 2 say that errors were corrected, 4 and more that some are left. */
async function examineExt4(run: Run, device: string, { readOnly }: ExamineOptions): Promise<Examined> {
  try {
    const { exitCode, stdout } = await run(["e2fsck", "-f", readOnly ? "-n" : "-p", device], { neverKill: true, okExitCodes: [0, 1, 2] });
    return exitCode === 0 ? { state: "clean" } : { state: "repaired", detail: lastLines(stdout, SHOWN_LINES) };
  } catch (error) {
    return damagedBy(error);
  }
}

async function readThrough(run: Run, argv: readonly string[]): Promise<Examined> {
  try {
    await run(argv, { neverKill: true });
    return { state: "clean" };
  } catch (error) {
    return damagedBy(error);
  }
}

/** Its log replayed, as any mount does it; answers why it cannot be mounted. */
async function replay(run: Run, type: FilesystemType, device: string, mountPoint: string): Promise<string | undefined> {
  await mkdir(mountPoint, { recursive: true, mode: 0o700 });
  try {
    await run(["mount", "-t", type, "-o", "nouuid,nosuid,nodev,noexec", device, mountPoint], { neverKill: true });
    await run(["umount", mountPoint], { neverKill: true });
    return undefined;
  } catch (error) {
    if (isError(error, "program-failed") && error.facts.argv[0] === "mount") return lastLines(error.facts.stderr, SHOWN_LINES);
    throw error;
  } finally {
    await rmdir(mountPoint).catch(() => undefined);
  }
}

function damagedBy(error: unknown): Examined {
  if (!isError(error, "program-failed") || error.facts.exitCode === undefined) throw error;
  return {
    state: "damaged",
    detail: `${error.facts.argv[0]} exited with ${error.facts.exitCode}: ${lastLines(error.facts.stderr, SHOWN_LINES)}`.replace(/: $/, ""),
  };
}
