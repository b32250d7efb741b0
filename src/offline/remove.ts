import { existsSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readMark } from "../pool/backings/direct-lvm-mark.ts";
import { isDeviceOfPool } from "../pool/names.ts";
import type { OfflinePool } from "./offline-pool.ts";
import { counted, type Confirm, type Progress } from "./report.ts";

export interface RemoveOptions {
  /** Gives the disks back clean. */
  readonly wipe: boolean;
  readonly confirm: Confirm;
  readonly progress: Progress;
}

export interface RemoveReport {
  /** false: nothing here told of it, and nothing was done. */
  readonly wasKnown: boolean;
  /** Whether a wipe has found disks to give back, or had none to look for. */
  readonly isClean: boolean;
  /** Where what was on record of it here is kept; undefined after a wipe. */
  readonly kept: string | undefined;
}

/** Takes a pool that holds nothing off this machine. Repeated after an interruption, goes on. Answers undefined when the plan was not agreed to. */
export async function removePool(pool: OfflinePool, { wipe, confirm, progress }: RemoveOptions): Promise<RemoveReport | undefined> {
  const { backing, stateDirectory } = pool;
  if (wipe && backing.wipe === undefined)
    throw pool.refused("what it stands on is its administrator's", `leave --wipe away, and remove ${whatItStandsOn(pool)} by other means`);
  if (await endOfWipe(pool)) return { wasKnown: true, isClean: true, kept: undefined };
  if (!(await isKnown(pool))) {
    if (!wipe) return { wasKnown: false, isClean: false, kept: undefined };
    throw pool.refused("it was never made here, or was removed before", `nothing was done; make blank by hand what may be lost of ${whatItStandsOn(pool)}`);
  }
  if (!(await pool.isBeingWiped())) {
    await requireEmptyCatalog(pool);
    await requireEmptyMetadata(pool);
    if (wipe) await requireOwn(pool);
  }
  const kept = `${stateDirectory}.removed-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
  const disks = wipe ? await backing.disksToWipe?.() : undefined;
  if (!(await confirm(stepsFor(pool, wipe ? whatIsWiped(pool, disks) : undefined, kept)))) return undefined;
  pool.deactivate();
  await backing.closeCatalogFolder?.();
  progress(wipe ? "Giving its disks back." : "Letting go of its disks.");
  if (wipe && existsSync(stateDirectory)) await writeFile(markOf(pool), "", { mode: 0o600, flush: true });
  if (wipe) await backing.wipe?.();
  else if (await pool.isMade()) await backing.release?.();
  const isClean = wipe && disks?.length !== 0;
  if (!existsSync(stateDirectory)) return { wasKnown: true, isClean, kept: undefined };
  if (wipe) await forget(pool);
  else await rename(stateDirectory, kept);
  return { wasKnown: true, isClean, kept: wipe ? undefined : kept };
}

/** Its record, once its disks are blank: out of its place in one step, so that who is killed while it is deleted leaves none that is half there. */
async function forget(pool: OfflinePool): Promise<void> {
  const { stateDirectory } = pool;
  const leaving = leavingOf(pool);
  await rm(leaving, { recursive: true, force: true });
  await rename(stateDirectory, leaving);
  await rm(leaving, { recursive: true, force: true });
}

const leavingOf = ({ stateDirectory }: OfflinePool): string => `${stateDirectory}.wiped`;

/**
 * A wipe before this one that was interrupted when all but its record was gone; whether that was all. A pool that was made
 * anew since, as by a driver that found the disks blank, has a record of its own.
 */
async function endOfWipe(pool: OfflinePool): Promise<boolean> {
  const leaving = leavingOf(pool);
  if (!existsSync(leaving)) return false;
  await rm(leaving, { recursive: true, force: true });
  return !(await isKnown(pool));
}

/** Whether anything here tells of it: a record in the state directory, or a device of it. */
async function isKnown({ stateDirectory, dm, name }: OfflinePool): Promise<boolean> {
  if (dm.list().some((device) => isDeviceOfPool(device, name))) return true;
  return existsSync(stateDirectory) && (await readdir(stateDirectory, { withFileTypes: true })).some((entry) => entry.isFile());
}

async function requireEmptyCatalog(pool: OfflinePool): Promise<void> {
  const catalog = await pool.openCatalog();
  if (catalog === undefined) return;
  const thins = [...catalog.thins.values()];
  catalog.close();
  if (thins.length === 0) return;
  const volumes = thins.filter(({ kind }) => kind === "volume").length;
  throw pool.refused(
    `it holds ${counted(volumes, "volume")} and ${counted(thins.length - volumes, "snapshot")}`,
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
    `it holds ${counted(listings.length, "thin device")} that no record knows: ${listings.map(({ number }) => number).join(", ")}`,
    `delete or adopt them first, while the driver runs: dmthin pool orphans ${pool.name}`,
  );
}

/** Whether a wipe has begun. */
export const isWiping = (pool: OfflinePool): boolean => existsSync(markOf(pool));

/** There from before the first write of a wipe: what is blank by it already is not taken for another's. */
const markOf = ({ stateDirectory }: OfflinePool): string => join(stateDirectory, "wiping");

/**
 * Files and named devices bear no mark of the pool's own, as a volume group does, and paths come to name other disks. So
 * the catalogue has to know that the pool was made, and the metadata on its devices has to be of that catalogue.
 */
async function requireOwn(pool: OfflinePool): Promise<void> {
  const { kind } = pool.description.backing;
  const remedy = `leave --wipe away, and make blank by hand what may be lost of ${whatItStandsOn(pool)}`;
  if (kind === "directLvm") {
    if (existsSync(markOf(pool)) || (await readMark(pool.stateDirectory)) !== undefined) return;
    throw pool.refused("nothing here tells which disks are its own", remedy);
  }
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

/** A volume group's disks as they are: patterns stand for some of them, and others were added by hand. */
function whatIsWiped(pool: OfflinePool, disks: readonly string[] | undefined): string {
  const { backing } = pool.description;
  if (backing.kind !== "directLvm" || disks === undefined) return whatItStandsOn(pool);
  return `volume group ${backing.volumeGroup} (${disks.length === 0 ? "no disk that is there is its own" : disks.join(", ")})`;
}

function stepsFor(pool: OfflinePool, wiped: string | undefined, kept: string): readonly string[] {
  const what = whatItStandsOn(pool);
  const unseen = pool.isKeptUp ? [`whether ${what} holds thin devices that no record knows was not looked at, as it is active`] : [];
  if (wiped === undefined)
    return [
      ...unseen,
      `its devices are deactivated; ${what} stays as it is, and "dmthin pool import" brings it back`,
      `what is on record of it here is kept as ${kept}`,
    ];
  return [`everything on ${wiped} is given up: no volume and no snapshot is there, and the pool cannot be brought back`, "its catalogue is deleted"];
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
