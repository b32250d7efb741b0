import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { DeviceMapper } from "../devicemapper/device-mapper.ts";
import { ignoreMissing } from "../files.ts";
import type { Logger } from "../logger.ts";
import type { PoolBacking } from "./backings/backing.ts";
import { CATALOG_COPY } from "./catalog-copy.ts";
import { readMark } from "./backings/direct-lvm-mark.ts";
import { isDeviceOfPool } from "./names.ts";

export interface MachineRecords {
  /** The folder of this pool's catalogue. */
  readonly stateDirectory: string;
  readonly bootId: string;
  readonly backing: Pick<PoolBacking, "catalogCopyFolder">;
  readonly dm: Pick<DeviceMapper, "list">;
  readonly logger: Logger;
}

/**
 * Whether a pool that could not be started has never been one here, by all that this machine has of it: then nothing of it
 * can be in use, unless it is on record elsewhere. What cannot be read proves nothing. Never rejects. After a failed
 * attempt only: it opens the catalogue, of which there is one user.
 */
export async function wasNeverMade(description: PoolDescription, records: MachineRecords): Promise<boolean> {
  try {
    return await hasNothing(description, records);
  } catch (error) {
    records.logger.warn("it cannot be told whether this was a pool before: it counts as one that was", { error });
    return false;
  }
}

async function hasNothing({ name, chunkSize, backing: { kind } }: PoolDescription, { stateDirectory, bootId, backing, dm }: MachineRecords): Promise<boolean> {
  if (dm.list().some((device) => isDeviceOfPool(device, name))) return false;
  // Each attempt makes this folder: where it is not, nobody can tell what was in it.
  if (!(await isThere(stateDirectory))) return false;
  for (const folder of [stateDirectory, backing.catalogCopyFolder ?? stateDirectory]) if (await isThere(join(folder, CATALOG_COPY))) return false;
  if (kind === "directLvm") return (await readMark(stateDirectory)) === undefined;
  const path = join(stateDirectory, "catalog.db");
  if (!(await isThere(path))) return true;
  const catalog = Catalog.open(path, bootId, { name, uuid: randomUUID(), chunkSize });
  catalog.close();
  return !catalog.identity.formatted;
}

/** Rejects where that cannot be told: a disk that fails, or something else in the place of a folder, hides what was there. */
const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(ignoreMissing)) !== undefined;
