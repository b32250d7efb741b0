import type { PoolView } from "../../pool/pool.ts";

/** That what the catalogue has on record is not in the pool any more, in words: as the inventory after start has found. */
export function damageOf({ inventory }: PoolView, ids: readonly string[]): string | undefined {
  const found = inventory?.discrepancies.find(({ id }) => ids.includes(id));
  if (found === undefined) return undefined;
  const what = found.reason === "missing" ? "is missing from the pool's metadata" : "was made by something else than its creation";
  return `thin device ${found.number} of ${found.id} ${what}`;
}
