import { DmthinError } from "../../errors.ts";
import { isTerminating } from "../objects/meta.ts";
import type { NodeThinPool } from "../objects/node-thin-pool.ts";
import type { ThinPool } from "../objects/thin-pool.ts";
import type { ControllerParts } from "./parts.ts";

/** The ThinPool of that name; without one the default, or the only one. Throws "pool-missing". */
export function choosePool(parts: ControllerParts, name: string | undefined): ThinPool {
  const pools = [...parts.pools.cache.items.values()];
  if (pools.length === 0) throw missing("there is no ThinPool in this cluster yet: make one, and name the nodes and disks in it");
  const chosen = name === undefined ? defaultOf(parts, pools) : pools.find(({ metadata }) => metadata.name === name);
  if (chosen !== undefined) return chosen;
  if (name !== undefined) throw missing(`there is no pool ${JSON.stringify(name)} (there is ${namesOf(pools)})`);
  throw missing(`name a pool, since none of them is the default (${namesOf(pools)}); or mark a ThinPool with default: true`);
}

/** Of several that are marked, the one that nodes follow: a node that has a default refuses the next. */
function defaultOf({ nodePools }: ControllerParts, pools: readonly ThinPool[]): ThinPool | undefined {
  const [only] = pools;
  const marked = pools.filter(({ spec }) => spec["default"] === true);
  if (marked.length === 0) return pools.length === 1 && only?.spec["default"] !== false ? only : undefined;
  const followed = new Set([...nodePools.cache.items.values()].filter(({ status }) => follows(status)).map(({ spec }) => spec.poolName));
  const taken = marked.length === 1 ? marked : marked.filter(({ metadata }) => followed.has(metadata.name));
  if (taken.length === 1) return taken[0];
  throw missing(`several ThinPools are marked as default (${namesOf(taken.length === 0 ? marked : taken)}): leave one`);
}

/** Whether the node takes the ThinPool as it is described now: a pool goes on as it was described before where a change is refused. */
export const follows = ({ conditions }: NodeThinPool["status"]): boolean =>
  conditions.every(({ type, status }) => type !== "DescriptionAccepted" || status === "True");

const namesOf = (pools: readonly ThinPool[]): string => pools.map(({ metadata }) => metadata.name).join(", ");

/** Throws "pool-missing". */
export function requireStaying(pool: ThinPool): ThinPool {
  if (isTerminating(pool)) throw missing(`pool ${pool.metadata.name} is being deleted, and takes no new volumes`);
  return pool;
}

/** Not the class's fault for good, as on a single machine, whose pools are those of its configuration. */
const missing = (problem: string): DmthinError => new DmthinError({ code: "pool-missing", problem });
