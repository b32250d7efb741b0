import { setTimeout as sleep } from "node:timers/promises";
import type { PoolDescription } from "../config/pool-description.ts";
import { isError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { OfflinePool, type PoolsConfig } from "./offline-pool.ts";
import { removePool } from "./remove.ts";

/** The dead man's handle of a pool that was closed has its lock for a moment longer. */
const LOCK_MS = 5_000;
const LOCK_STEP_MS = 100;

/**
 * Takes a pool off this machine that the driver has just closed, by the same steps and refusals as `dmthin pool remove`:
 * nothing that holds anything goes, and a wipe is of the pool's own disks alone. Repeated after an interruption, goes on.
 */
export async function removeIdlePool(
  description: PoolDescription,
  {
    wipe,
    stateDirectory,
    runDirectory,
    logger,
  }: { readonly wipe: boolean; readonly stateDirectory: string; readonly runDirectory: string; readonly logger: Logger },
): Promise<void> {
  const { name } = description;
  await using pool = await take({ pools: [description], stateDirectory, runDirectory }, name, logger);
  const plan = (steps: readonly string[]): Promise<boolean> => {
    logger.info("a pool is removed", { pool: name, steps });
    return Promise.resolve(true);
  };
  await removePool(pool, { wipe, confirm: plan, progress: (text) => logger.info("removing a pool", { pool: name, step: text }) });
}

async function take(config: PoolsConfig, name: string, logger: Logger): Promise<OfflinePool> {
  const until = performance.now() + LOCK_MS;
  for (;;) {
    try {
      return OfflinePool.take(config, name, logger);
    } catch (error) {
      if (!isError(error, "pool-unchanged") || performance.now() > until) throw error;
    }
    await sleep(LOCK_STEP_MS);
  }
}
