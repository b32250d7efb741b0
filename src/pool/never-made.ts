import { existsSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { DmthinError } from "../errors.ts";
import { CATALOG_COPY } from "./catalog-copy.ts";
import { readMark } from "./direct-lvm-mark.ts";

export interface OnRecord {
  /** The folder of this pool's catalogue. */
  readonly stateDirectory: string;
  readonly bootId: string;
  /** By uuid: pools of this name that are on record elsewhere as this machine's. */
  readonly recordedUuids: readonly string[];
}

/**
 * Whether a pool that could not be started has never been one here, by all that is on record: then nothing of it can be in
 * use. What cannot be read proves nothing. After a failed attempt only: it opens the catalogue, of which there is one user.
 */
export async function wasNeverMade({ name, chunkSize, backing }: PoolDescription, { stateDirectory, bootId, recordedUuids }: OnRecord): Promise<boolean> {
  if (recordedUuids.length > 0 || existsSync(join(stateDirectory, CATALOG_COPY))) return false;
  try {
    if (backing.kind === "directLvm") return (await readMark(stateDirectory)) === undefined;
    const path = join(stateDirectory, "catalog.db");
    if (!existsSync(path)) return true;
    const catalog = Catalog.open(path, bootId, { name, uuid: randomUUID(), chunkSize });
    catalog.close();
    return !catalog.identity.formatted;
  } catch (error) {
    if (error instanceof DmthinError) return false;
    throw error;
  }
}
