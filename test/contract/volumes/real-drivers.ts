import { join } from "node:path";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { KernelSlowCalls } from "../../../src/devicemapper/slow-calls.ts";
import { ThinToolsPrograms } from "../../../src/devicemapper/thin-tools-programs.ts";
import type { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { createBacking } from "../../../src/pool/backings/create-backing.ts";
import type { DeadMan } from "../../../src/pool/engine-parts.ts";
import { openInThread } from "../../../src/pool/worker/in-thread-pool.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import { WorkerPool, type WorkerPoolOptions } from "../../../src/pool/worker/worker-pool.ts";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { until } from "../kernel/pools.ts";

/**
 * As it runs for users. Rejects with the reason when the pool is refused, or locked. `waitsForLock`: as users' drivers do, since
 * the handle of the one before has the lock for a moment more.
 */
export async function openInWorker(options: WorkerPoolOptions, { waitsForLock }: { readonly waitsForLock: boolean }): Promise<Pool> {
  const pool = new WorkerPool(options);
  await until(() => pool.view.status.kind !== "recovering" && !(waitsForLock && pool.view.status.kind === "locked"));
  const { status } = pool.view;
  if (status.kind === "ready") return pool;
  await pool.close(10_000);
  throw new Error(status.kind === "refused" ? `${status.reason}; ${status.remedy}` : "another process has its lock");
}

/** Without the worker, which takes a second to start in a guest: what most tests can do with. */
export async function openHere(options: WorkerPoolOptions, threads: BlockingThreads, probe: Filesystems["probe"]): Promise<Pool> {
  const { description, bootId, logger } = options;
  const dm = new KernelDeviceMapper();
  const stateDirectory = join(options.stateDirectory, description.name);
  return openInThread({
    description,
    bootId,
    logger,
    stateDirectory,
    dm,
    slow: new KernelSlowCalls(threads),
    tools: new ThinToolsPrograms(),
    backing: createBacking(description, { dm, stateDirectory, lvmLock: undefined, logger, probe }),
    deadMan: NO_DEAD_MAN,
    observe: () => undefined,
  });
}

/** This process does not die in these tests; those that let it are elsewhere. */
const NO_DEAD_MAN: DeadMan = { arm: () => undefined, disarm: () => undefined, close: () => undefined };
