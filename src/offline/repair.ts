import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import { clearNeedsCheck, isSuperblockSound, judgeMetadata, type MetadataVerdict, type PoolFacts } from "../devicemapper/thin-repair.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import { isError } from "../errors.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { BackingDevices } from "../pool/backings/backing.ts";
import { CATALOG_COPY } from "../pool/catalog-copy.ts";
import { chunks } from "../units.ts";
import { followAttached, newMetadata, type NewMetadata } from "./new-metadata.ts";
import type { OfflinePool } from "./offline-pool.ts";
import type { Confirm, Progress, SurvivorReport } from "./report.ts";
import { survey } from "./survey.ts";

export interface RepairOptions {
  /** A device for the new metadata, where the backing needs one. */
  readonly onto: string | undefined;
  readonly confirm: Confirm;
  readonly progress: Progress;
}

export interface RepairReport {
  /** Nothing had to be done to the metadata, only its mark was cleared, or it was written anew. */
  readonly metadata: "sound" | "mark-cleared" | "rewritten";
  /** undefined: there is no catalogue, so that nobody knows what is in it. */
  readonly survivors: readonly SurvivorReport[] | undefined;
  /** What a person still has to do. */
  readonly remaining: readonly string[];
}

/**
 * Makes a pool usable whose metadata is damaged or marked, keeps the old metadata, and tells volume by volume what is
 * left. Without a catalogue it goes as far as the metadata alone tells the way, for an import to follow. Answers undefined
 * when the plan was not agreed to: then nothing was changed.
 */
export async function repairPool(pool: OfflinePool, { onto, confirm, progress }: RepairOptions): Promise<RepairReport | undefined> {
  const catalog = await pool.openCatalog();
  const isKnown = catalog !== undefined;
  const facts = isKnown ? factsOf(catalog) : await factsOfCopy(pool);
  catalog?.close();
  const { devices, superblock } = await pool.attachIdle();
  progress(`Checking the metadata on ${devices.metadata.path}.`);
  const verdict = await judgeMetadata(devices.metadata.path);
  const before = await listed(pool, devices);
  const plan = await planFor(pool, { devices, superblock, verdict, onto, facts });
  const next = isKnown
    ? "each volume's filesystem is checked, and repaired where that is safe; snapshots are only read"
    : "what is in the pool is not looked at: there is no catalogue";
  if (!(await confirm([...plan.steps, next]))) return undefined;
  progress(plan.doing);
  const { description, remaining } = await plan.carryOut(facts === undefined ? undefined : { ...facts, dataChunks: dataChunksOf(devices, facts) });
  if (!isKnown)
    return { metadata: plan.metadata, survivors: undefined, remaining: [...remaining, `bring its catalogue back: dmthin pool import ${pool.name}`] };
  return { metadata: plan.metadata, survivors: await surveyed(pool, description, before, progress), remaining };
}

const dataChunksOf = ({ data }: BackingDevices, { chunkSize }: Identity): PoolFacts["dataChunks"] => chunks(Math.floor(data.sizeBytes / chunkSize));

interface Plan {
  readonly metadata: RepairReport["metadata"];
  readonly steps: readonly string[];
  readonly doing: string;
  readonly carryOut: (facts: PoolFacts | undefined) => ReturnType<NewMetadata["write"]>;
}

interface Situation {
  readonly devices: BackingDevices;
  readonly superblock: ThinSuperblock;
  readonly verdict: MetadataVerdict;
  readonly onto: string | undefined;
  /** By a catalogue, or a copy of one. */
  readonly facts: Identity | undefined;
}

async function planFor(pool: OfflinePool, { devices, superblock, verdict, onto, facts: known }: Situation): Promise<Plan> {
  const unchanged = { description: pool.description, remaining: [] };
  if (verdict.kind === "damaged") {
    const isSound = await isSuperblockSound(devices.metadata.path);
    if (!isSound && known === undefined) throw nobodyKnows(pool);
    const place = await newMetadata(pool, devices, onto);
    const steps = [`thin_check finds damage: ${verdict.findings}`, ...place.steps];
    // Only what the superblock does not tell itself: what the catalogue says may be a step behind.
    return {
      metadata: "rewritten",
      steps,
      doing: "Writing the metadata anew.",
      carryOut: async (facts) => place.write(isSound ? undefined : facts),
    };
  }
  if (superblock.kind === "thin-pool" && superblock.needsCheck && pool.backing.repairMetadata !== undefined) {
    // LVM shows the metadata of a pool that is not active read-only: the mark goes with a copy of all of it.
    const place = await newMetadata(pool, devices, onto);
    return { metadata: "rewritten", steps: place.steps, doing: "Writing the metadata anew.", carryOut: async () => place.write(undefined) };
  }
  if (superblock.kind === "thin-pool" && superblock.needsCheck) {
    return {
      metadata: "mark-cleared",
      steps: ["thin_check finds nothing wrong: the mark needs_check is cleared, and nothing else changes"],
      doing: "Clearing the mark.",
      carryOut: async () => {
        await clearNeedsCheck(devices.metadata.path);
        return unchanged;
      },
    };
  }
  return {
    metadata: "sound",
    steps: ["thin_check finds nothing wrong: the metadata stays as it is"],
    doing: "Leaving the metadata as it is.",
    carryOut: async () => {
      if (existsSync(pool.repairMark)) await followAttached(pool);
      return unchanged;
    },
  };
}

type Identity = Omit<PoolFacts, "dataChunks">;

const factsOf = ({ identity }: Catalog): Identity => ({ transactionId: identity.transactionId, chunkSize: identity.chunkSize });

/** As it was when the copy was made. It stays as it is: SQLite would write beside it. */
async function factsOfCopy(pool: OfflinePool): Promise<Identity | undefined> {
  const copy = pool.copies().find((path) => existsSync(path));
  if (copy === undefined) return undefined;
  const folder = join(pool.stateDirectory, "copy-to-read");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const path = join(folder, "catalog.db");
    await copyFile(copy, path);
    const catalog = Catalog.open(path, pool.bootId, { name: pool.name, uuid: randomUUID(), chunkSize: pool.description.chunkSize });
    catalog.close();
    return factsOf(catalog);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** thin_repair could not begin: nothing is written anywhere. */
const nobodyKnows = (pool: OfflinePool): Error =>
  pool.refused(
    "its metadata's superblock is damaged, and no catalogue tells what it should say (transaction id, chunk size): nothing was changed",
    `find a copy of its catalogue in a backup (catalog.db or ${CATALOG_COPY} of the state directory), put it in place as ${join(pool.stateDirectory, CATALOG_COPY)}, and say it again; without one only somebody who reads the metadata by hand can tell (thin_repair --transaction-id --data-block-size --nr-data-blocks)`,
  );

/** What damaged metadata can still tell of what was mapped. */
async function listed(pool: OfflinePool, { metadata }: BackingDevices): Promise<readonly ThinListing[] | undefined> {
  try {
    return await pool.tools.list(metadata.path, { live: false });
  } catch (error) {
    if (isError(error, "program-failed")) return undefined;
    throw error;
  }
}

/** Opened as the driver opens it, so that what it would refuse is told now. */
async function surveyed(
  pool: OfflinePool,
  description: PoolDescription,
  before: readonly ThinListing[] | undefined,
  progress: Progress,
): Promise<readonly SurvivorReport[]> {
  progress("Opening the pool as the driver does.");
  const open = await pool.open(description);
  try {
    return await survey(pool, open, { before, after: await open.listing.list() }, progress);
  } finally {
    await pool.close(open);
  }
}
