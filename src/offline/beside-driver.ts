import { setTimeout as sleep } from "node:timers/promises";
import type { PoolDescription } from "../config/pool-description.ts";
import { isError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { readMark } from "../pool/backings/direct-lvm-mark.ts";
import { OfflinePool } from "./offline-pool.ts";
import { isWiping, removePool } from "./remove.ts";

/** The dead man's handle of a pool that was closed has its lock for a moment longer. */
const LOCK_MS = 5_000;
const LOCK_STEP_MS = 100;

export interface Beside {
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly logger: Logger;
}

/**
 * Takes a pool off this machine that the driver has just closed, by the same steps and refusals as `dmthin pool remove`:
 * nothing that holds anything goes, and a wipe is of the pool's own disks alone. Repeated after an interruption, goes on.
 */
export async function removeClosedPool(description: PoolDescription, { wipe, ...beside }: Beside & { readonly wipe: boolean }): Promise<void> {
  const { name } = description;
  const { logger } = beside;
  await using pool = await take(description, beside);
  const confirm = async (steps: readonly string[]): Promise<boolean> => {
    logger.info("a pool is removed", { pool: name, steps });
    return true;
  };
  // Of what was refused before it was a pool nothing is ours to wipe: it is let go as it is.
  const isOurs = wipe && (await wasEverMade(pool));
  await removePool(pool, { wipe: isOurs, confirm, progress: (text) => logger.info("removing a pool", { pool: name, step: text }) });
}

async function wasEverMade(pool: OfflinePool): Promise<boolean> {
  if (isWiping(pool)) return true;
  if (pool.description.backing.kind === "directLvm") return (await readMark(pool.stateDirectory)) !== undefined; // also when its making was interrupted
  const catalog = await pool.openCatalog();
  const { formatted } = catalog?.identity ?? { formatted: false };
  catalog?.close();
  return formatted;
}

async function take(description: PoolDescription, { stateDirectory, runDirectory, logger }: Beside): Promise<OfflinePool> {
  const until = performance.now() + LOCK_MS;
  for (;;) {
    try {
      return OfflinePool.take({ pools: [description], stateDirectory, runDirectory }, description.name, logger);
    } catch (error) {
      if (!isError(error, "pool-unchanged") || performance.now() > until) throw error;
    }
    await sleep(LOCK_STEP_MS);
  }
}
