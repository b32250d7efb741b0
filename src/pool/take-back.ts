import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { run } from "../exec/run.ts";
import type { PoolBacking } from "./backings/backing.ts";
import { createBacking, type BackingParts } from "./backings/create-backing.ts";
import { seeDisks } from "./backings/direct-lvm-disks.ts";
import { importGroup, keepGroup } from "./backings/direct-lvm-import.ts";
import { markOf, poolTag, readMark, removeMark } from "./backings/direct-lvm-mark.ts";
import type { DirectLvmParts } from "./backings/direct-lvm-parts.ts";

export interface TakeBackParts extends BackingParts {
  readonly bootId: string;
}

/**
 * For a machine that was made anew around the disks that it had, so that its state directory knows nothing of them: takes
 * their volume group without being asked, if the catalogue on it is of a pool that is on record as this machine's
 * (`recorded`, by uuid). Where it is not, nothing is changed, and the start refuses those disks as it always does. The
 * caller holds the pool's lock. Repeated after an interruption, it goes on. Answers whether it took it.
 */
export async function takeBack(description: PoolDescription, parts: TakeBackParts, recorded: readonly string[]): Promise<boolean> {
  const { backing } = description;
  if (backing.kind !== "directLvm" || recorded.length === 0) return false;
  const { stateDirectory, logger } = parts;
  const begun = await readMark(stateDirectory);
  if (begun !== undefined && begun.phase !== "importing") return false;
  const direct = { observe: () => undefined, ...parts, description, backing, run };
  if (begun === undefined && !(await hasGroup(direct))) return false;
  let isTaken = false;
  try {
    await importGroup(direct);
    const uuid = await catalogUuid(createBacking(description, { ...parts, isImporting: () => true }), parts, description);
    isTaken = uuid !== undefined && recorded.includes(uuid);
    if (isTaken) await keepGroup(parts);
    if (isTaken) logger.info("the pool's disks are those of before: it is taken back with all that it holds", { pool: description.name, uuid });
    return isTaken;
  } finally {
    // What somebody else has begun to import stays begun.
    if (!isTaken && begun === undefined) await removeMark(stateDirectory);
  }
}

/** Whether one of its disks is in a volume group that was made for a pool of this name. */
async function hasGroup(parts: DirectLvmParts): Promise<boolean> {
  const { groups } = await seeDisks(parts, []);
  return groups.some(({ tags }) => markOf(tags) !== undefined && tags.includes(poolTag(parts.description.name)));
}

/** undefined: there is no catalogue on its disks. */
async function catalogUuid(backing: PoolBacking, { bootId }: TakeBackParts, { name, chunkSize }: PoolDescription): Promise<string | undefined> {
  if ((await backing.hasCatalogFolder?.()) !== true) return undefined;
  try {
    const path = join((await backing.openCatalogFolder?.()) ?? "", "catalog.db");
    if (!existsSync(path)) return undefined;
    const catalog = Catalog.open(path, bootId, { name, uuid: randomUUID(), chunkSize });
    catalog.close();
    return catalog.identity.formatted ? catalog.identity.uuid : undefined;
  } finally {
    await backing.closeCatalogFolder?.();
  }
}
