import { invalid } from "../../volumes/invalid.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinPool } from "../objects/thin-pool.ts";

/** The ThinPool of that name; without one the default, or the only one. Throws "invalid-argument", as on a single machine. */
export function choosePool(pools: readonly ThinPool[], name: string | undefined): ThinPool {
  const [only] = pools;
  if (only === undefined) throw invalid("there is no ThinPool in this cluster yet: make one, and name the nodes and disks in it");
  const names = pools.map(({ metadata }) => metadata.name).join(", ");
  if (name === undefined) {
    const [marked, ...others] = pools.filter(({ spec }) => spec["default"] === true);
    if (others.length > 0)
      throw invalid(`several ThinPools are marked as default (${[marked, ...others].map((pool) => pool?.metadata.name).join(", ")}): leave one`);
    const chosen = marked ?? (pools.length === 1 && only.spec["default"] !== false ? only : undefined);
    if (chosen === undefined) throw invalid(`name a pool, since none of them is the default (${names}); or mark a ThinPool with default: true`);
    return chosen;
  }
  const named = pools.find(({ metadata }) => metadata.name === name);
  if (named === undefined) throw invalid(`there is no pool ${JSON.stringify(name)} (there is ${names})`);
  return named;
}

/** Throws "invalid-argument". */
export function requireStaying(pool: ThinPool): ThinPool {
  if (isTerminating(pool)) throw invalid(`pool ${pool.metadata.name} is being deleted, and takes no new volumes`);
  return pool;
}
