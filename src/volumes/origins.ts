import type { Origin, ThinRecord } from "../catalog/records.ts";
import { invalid } from "./invalid.ts";
import type { Found, PoolSet } from "./pool-set.ts";
import type { Purpose } from "./wanted.ts";

/** The source of a clone or a restore; undefined for a blank volume. Throws "not-found". */
export function findOrigin(pools: PoolSet, origin: Origin): Found<ThinRecord> | undefined {
  switch (origin.kind) {
    case "blank":
      return undefined;
    case "snapshot":
      return pools.snapshot(origin.id);
    case "volume":
      return pools.volume(origin.id);
  }
}

/**
 * A copy is in its source's pool and holds its source's content. So it cannot be asked for elsewhere, or with another
 * filesystem; and content that its owner wrote block by block is never mounted. Throws "invalid-argument".
 */
export function requireCompatibleOrigin({ pool, record }: Found<ThinRecord>, purpose: Purpose, poolAsked: string | undefined): void {
  const { name } = pool.description;
  const { type } = record.filesystem;
  const source = `${record.kind} ${record.id}`;
  if (poolAsked !== undefined && poolAsked !== name) throw invalid(`${source} is in pool ${name}, so its copy cannot be in pool ${poolAsked}`);
  if (purpose.access === "mount" && type === undefined) throw invalid(`${source} is a block device's, so its copy is none that can be mounted`);
  if (purpose.access === "block" && type !== undefined) throw invalid(`${source} holds ${type}, so its copy is no block device`);
  if (purpose.filesystem !== undefined && purpose.filesystem !== type) throw invalid(`${source} holds ${type}, so its copy cannot hold ${purpose.filesystem}`);
}
