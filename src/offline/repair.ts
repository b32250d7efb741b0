import { existsSync } from "node:fs";
import type { Catalog } from "../catalog/catalog.ts";
import { clearNeedsCheck, isSuperblockSound, judgeMetadata, type MetadataVerdict, type PoolFacts } from "../devicemapper/thin-repair.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import { isError } from "../errors.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { BackingDevices } from "../pool/backing.ts";
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
  readonly survivors: readonly SurvivorReport[];
  /** What a person still has to do. */
  readonly remaining: readonly string[];
}

/**
 * Makes a pool usable whose metadata is damaged or marked, keeps the old metadata, and tells volume by volume what is
 * left. Answers undefined when the plan was not agreed to: then nothing was changed.
 */
export async function repairPool(pool: OfflinePool, { onto, confirm, progress }: RepairOptions): Promise<RepairReport | undefined> {
  const catalog = await pool.openCatalog();
  if (catalog === undefined)
    throw pool.refused("it has no catalogue, so that nobody knows what is in it", `bring that back first: dmthin pool import ${pool.name}`);
  const facts = factsOf(catalog);
  catalog.close();
  const { devices, superblock } = await pool.attachIdle();
  progress(`Checking the metadata on ${devices.metadata.path}.`);
  const verdict = await judgeMetadata(devices.metadata.path);
  const before = await listed(pool, devices);
  const plan = await planFor(pool, { devices, superblock, verdict, onto });
  if (!(await confirm([...plan.steps, "each volume's filesystem is checked, and repaired where that is safe; snapshots are only read"]))) return undefined;
  progress(plan.doing);
  const dataChunks = chunks(Math.floor(devices.data.sizeBytes / facts.chunkSize));
  const { description, remaining } = await plan.carryOut({ ...facts, dataChunks });
  return { metadata: plan.metadata, survivors: await surveyed(pool, description, before, progress), remaining };
}

interface Plan {
  readonly metadata: RepairReport["metadata"];
  readonly steps: readonly string[];
  readonly doing: string;
  readonly carryOut: (facts: PoolFacts) => ReturnType<NewMetadata["write"]>;
}

interface Situation {
  readonly devices: BackingDevices;
  readonly superblock: ThinSuperblock;
  readonly verdict: MetadataVerdict;
  readonly onto: string | undefined;
}

async function planFor(pool: OfflinePool, { devices, superblock, verdict, onto }: Situation): Promise<Plan> {
  const unchanged = { description: pool.description, remaining: [] };
  if (verdict.kind === "damaged") {
    const place = await newMetadata(pool, devices, onto);
    const steps = [`thin_check finds damage: ${verdict.findings}`, ...place.steps];
    // Only what the superblock does not tell itself: what the catalogue says may be a step behind.
    return {
      metadata: "rewritten",
      steps,
      doing: "Writing the metadata anew.",
      carryOut: async (facts) => place.write((await isSuperblockSound(devices.metadata.path)) ? undefined : facts),
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

const factsOf = ({ identity }: Catalog): Omit<PoolFacts, "dataChunks"> => ({ transactionId: identity.transactionId, chunkSize: identity.chunkSize });

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
