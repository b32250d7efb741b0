import { DmthinError } from "../../errors.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinPool } from "../objects/thin-pool.ts";

/** The ThinPool of that name; without one the default, or the only one. Throws "pool-missing". */
export function choosePool(pools: readonly ThinPool[], name: string | undefined): ThinPool {
  const [only] = pools;
  if (only === undefined) throw missing("there is no ThinPool in this cluster yet: make one, and name the nodes and disks in it");
  const names = pools.map(({ metadata }) => metadata.name).join(", ");
  if (name === undefined) {
    const [marked, ...others] = pools.filter(({ spec }) => spec["default"] === true);
    if (others.length > 0)
      throw missing(`several ThinPools are marked as default (${[marked, ...others].map((pool) => pool?.metadata.name).join(", ")}): leave one`);
    const chosen = marked ?? (pools.length === 1 && only.spec["default"] !== false ? only : undefined);
    if (chosen === undefined) throw missing(`name a pool, since none of them is the default (${names}); or mark a ThinPool with default: true`);
    return chosen;
  }
  const named = pools.find(({ metadata }) => metadata.name === name);
  if (named === undefined) throw missing(`there is no pool ${JSON.stringify(name)} (there is ${names})`);
  return named;
}

/** Throws "pool-missing". */
export function requireStaying(pool: ThinPool): ThinPool {
  if (isTerminating(pool)) throw missing(`pool ${pool.metadata.name} is being deleted, and takes no new volumes`);
  return pool;
}

/** Not the class's fault for good, as on a single machine, whose pools are those of its configuration. */
const missing = (problem: string): DmthinError => new DmthinError({ code: "pool-missing", problem });
