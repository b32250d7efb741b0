import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OfflinePool } from "./offline-pool.ts";
import type { Confirm, Progress } from "./report.ts";

export interface RemoveOptions {
  /** Gives the disks back clean. */
  readonly wipe: boolean;
  readonly confirm: Confirm;
  readonly progress: Progress;
}

export interface RemoveReport {
  /** Where the catalogue is kept; undefined after a wipe. */
  readonly kept: string | undefined;
}

/** Takes a pool that holds nothing off this machine. Repeated after an interruption, goes on. Answers undefined when the plan was not agreed to. */
export async function removePool(pool: OfflinePool, { wipe, confirm, progress }: RemoveOptions): Promise<RemoveReport | undefined> {
  const { backing, stateDirectory } = pool;
  if (wipe && backing.wipe === undefined)
    throw pool.refused("what it stands on is its administrator's", `leave --wipe away, and remove ${whatItStandsOn(pool)} by other means`);
  if (!(await pool.isBeingWiped())) {
    await requireEmptyCatalog(pool);
    await requireEmptyMetadata(pool);
    if (wipe) await requireOwn(pool);
  }
  const kept = `${stateDirectory}.removed-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
  if (!(await confirm(stepsFor(pool, wipe, kept)))) return undefined;
  pool.deactivate();
  await backing.closeCatalogFolder?.();
  progress(wipe ? "Giving its disks back." : "Letting go of its disks.");
  if (wipe && existsSync(stateDirectory)) await writeFile(markOf(pool), "", { mode: 0o600, flush: true });
  if (wipe) await backing.wipe?.();
  else if (await pool.isMade()) await backing.release?.();
  if (!existsSync(stateDirectory)) return { kept: undefined };
  if (wipe) await rm(stateDirectory, { recursive: true, force: true });
  else await rename(stateDirectory, kept);
  return { kept: wipe ? undefined : kept };
}

async function requireEmptyCatalog(pool: OfflinePool): Promise<void> {
  const catalog = await pool.openCatalog();
  if (catalog === undefined) return;
  const thins = [...catalog.thins.values()];
  catalog.close();
  if (thins.length === 0) return;
  const volumes = thins.filter(({ kind }) => kind === "volume").length;
  throw pool.refused(
    `it holds ${volumes} volumes and ${thins.length - volumes} snapshots`,
    'delete them first, while the driver runs; "dmthin volume ls" names them',
  );
}

/** Also what no record knows is somebody's. */
async function requireEmptyMetadata(pool: OfflinePool): Promise<void> {
  if (!(await pool.hasMetadata())) return;
  const { devices, superblock } = await pool.attachIdle();
  if (superblock.kind !== "thin-pool") return;
  const listings = await pool.tools.list(devices.metadata.path, { live: false });
  if (listings.length === 0) return;
  throw pool.refused(
    `it holds ${listings.length} thin devices that no record knows: ${listings.map(({ number }) => number).join(", ")}`,
    `delete or adopt them first, while the driver runs: dmthin pool orphans ${pool.name}`,
  );
}

/** There from before the first write of a wipe: what is blank by it already is not taken for another's. */
const markOf = ({ stateDirectory }: OfflinePool): string => join(stateDirectory, "wiping");

/**
 * Files and named devices bear no mark of the pool's own, as a volume group does, and paths come to name other disks. So
 * the catalogue has to know that the pool was made, and the metadata on its devices has to be of that catalogue.
 */
async function requireOwn(pool: OfflinePool): Promise<void> {
  const { kind } = pool.description.backing;
  if (kind === "directLvm") return;
  const remedy = `leave --wipe away, and make blank by hand what may be lost of ${whatItStandsOn(pool)}`;
  const catalog = await pool.openCatalog();
  const { identity, intent } = catalog ?? {};
  catalog?.close();
  if (identity?.formatted !== true) throw pool.refused("no catalogue here tells that it was ever made", remedy);
  if (kind !== "devices" || existsSync(markOf(pool))) return;
  const { devices, superblock } = await pool.attachIdle();
  const expected = intent === undefined ? [identity.transactionId] : [intent.from, intent.from + 1];
  if (superblock.kind === "thin-pool" && expected.includes(superblock.transactionId)) return;
  throw pool.refused(`${devices.metadata.path} does not hold the metadata that its catalogue tells of`, remedy);
}

function stepsFor(pool: OfflinePool, wipe: boolean, kept: string): readonly string[] {
  const what = whatItStandsOn(pool);
  if (!wipe) return [`its devices are deactivated; ${what} stays as it is, and "dmthin pool import" brings it back`, `its catalogue is kept as ${kept}`];
  return [`everything on ${what} is given up: no volume and no snapshot is there, and the pool cannot be brought back`, "its catalogue is deleted"];
}

function whatItStandsOn({ description: { backing } }: OfflinePool): string {
  switch (backing.kind) {
    case "loop":
      return backing.directory;
    case "devices":
      return `${backing.data} and ${backing.metadata}`;
    case "directLvm":
      return `volume group ${backing.volumeGroup} (${[...backing.devices, ...backing.metadataDevices].join(", ")})`;
    case "existing":
      return backing.pool;
  }
}
