import { existsSync } from "node:fs";
import { join } from "node:path";
import { tryLock, type Lock } from "../linux/lock.ts";

/**
 * The lock of who owns a pool. undefined while somebody has it, or while LVM, which nobody kills, is still at work on it for
 * one who has died: LVM closes all descriptors that it is given beyond the first three, so it has a lock of its own as its
 * standard input. Source: lvm(8).
 */
export function tryPoolLock(runDirectory: string, pool: string): Lock | undefined {
  const lock = tryLock(join(runDirectory, `${pool}.lock`));
  if (lock === undefined || !isLvmAtWork(runDirectory, pool)) return lock;
  lock.release();
  return undefined;
}

/** Held by each command of LVM while it runs, and for a moment by who starts it. */
export const lvmLockOf = (runDirectory: string, pool: string): string => join(runDirectory, `${pool}.lvm`);

/** For who owns the pool, and has not begun with it. */
export function isLvmAtWork(runDirectory: string, pool: string): boolean {
  const path = lvmLockOf(runDirectory, pool);
  if (!existsSync(path)) return false;
  const lock = tryLock(path);
  lock?.release();
  return lock === undefined;
}
