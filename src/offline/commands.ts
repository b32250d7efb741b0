import { loadPoolsHere } from "../config/pools-here.ts";
import type { Logger } from "../logger.ts";
import { checkPool } from "./check.ts";
import { importPool, type ImportOptions, type ImportReport } from "./import.ts";
import { OfflinePool } from "./offline-pool.ts";
import { removePool, type RemoveOptions, type RemoveReport } from "./remove.ts";
import { repairPool, type RepairOptions, type RepairReport } from "./repair.ts";
import type { Finding, Progress } from "./report.ts";

/** Which pool, and where it is described. */
export interface Which {
  readonly configFile: string;
  readonly pool: string;
}

/** What is done to a pool while no driver has it, each with the pool's lock for as long as it takes. */
export interface OfflineWork {
  check(which: Which, progress: Progress): Promise<readonly Finding[]>;
  repair(which: Which, options: RepairOptions): Promise<RepairReport | undefined>;
  import(which: Which, options: ImportOptions): Promise<ImportReport | undefined>;
  remove(which: Which, options: RemoveOptions): Promise<RemoveReport | undefined>;
}

export function offlineWork(logger: Logger): OfflineWork {
  const withPool = async <Result>({ configFile, pool }: Which, work: (pool: OfflinePool) => Promise<Result>): Promise<Result> => {
    await using taken = OfflinePool.take(await loadPoolsHere(configFile, logger), pool, logger);
    return await work(taken);
  };
  return {
    check: async (which, progress) => withPool(which, async (pool) => checkPool(pool, progress)),
    repair: async (which, options) => withPool(which, async (pool) => repairPool(pool, options)),
    import: async (which, options) => withPool(which, async (pool) => importPool(pool, options)),
    remove: async (which, options) => withPool(which, async (pool) => removePool(pool, options)),
  };
}
