import { existsSync } from "node:fs";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import type { ThinRecord } from "../catalog/records.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import { isError } from "../errors.ts";
import { putInPlace } from "../files.ts";
import { POOL } from "../pool/backings/direct-lvm-parts.ts";
import { compare } from "../pool/inventories.ts";
import type { OfflinePool } from "./offline-pool.ts";
import { counted, type Confirm, type Progress } from "./report.ts";

export interface ImportOptions {
  /** A copy of the catalogue, by path; undefined: the one that the driver keeps, if there is one. */
  readonly copy: string | undefined;
  readonly confirm: Confirm;
  readonly progress: Progress;
}

export interface ImportReport {
  /** The catalogue that was there, a copy of it, or a new one in which everything is an orphan. */
  readonly source: "catalogue" | "copy" | "metadata";
  readonly volumes: number;
  readonly snapshots: number;
  /** What the copy knows and the pool has no more: deleted since, or lost. */
  readonly missing: readonly { readonly id: string; readonly name: string }[];
  readonly orphans: number;
}

type Found = Extract<ThinSuperblock, { readonly kind: "thin-pool" }>;

/** Brings up a pool that this machine's state directory does not know. Answers undefined when the plan was not agreed to. */
export async function importPool(pool: OfflinePool, options: ImportOptions): Promise<ImportReport | undefined> {
  const { progress } = options;
  const isTaken = await pool.findGroup();
  let plan: Plan | "known" | undefined;
  try {
    plan = await agreedPlan(pool, options);
  } finally {
    if (plan === undefined && isTaken) await pool.forgetGroup();
  }
  if (plan === undefined) return undefined;
  if (plan === "known") {
    await pool.keepGroup();
    return imported(pool, "catalogue", [], progress);
  }
  const { source, superblock, listings } = plan;
  const path = await pool.catalogPath({ remake: true });
  const unfinished = `${path}.importing`;
  await clear(unfinished);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (source !== undefined) await copyFile(source, unfinished);
  const missing = source === undefined ? begin(pool, unfinished, superblock, listings) : reconcile(pool, unfinished, superblock, listings);
  await keepOld(path);
  await putInPlace(unfinished, path);
  await pool.keepGroup();
  return imported(pool, source === undefined ? "metadata" : "copy", missing, progress);
}

interface Plan {
  readonly source: string | undefined;
  readonly superblock: Found;
  readonly listings: readonly ThinListing[];
}

/** Looks only. "known": the catalogue that is there will do; undefined: not agreed to. */
async function agreedPlan(pool: OfflinePool, { copy, confirm, progress }: ImportOptions): Promise<Plan | "known" | undefined> {
  const path = (await pool.hasCatalogPlace()) ? await pool.catalogPath() : undefined;
  const known = copy === undefined && path !== undefined ? await knownCatalog(pool, path) : undefined;
  if (known !== undefined) return known;
  const { devices, superblock } = await pool.attachIdle();
  if (superblock.kind !== "thin-pool")
    throw pool.refused(
      `${devices.metadata.path} holds no thin pool's metadata`,
      `name the devices that hold the pool in the configuration; ${repairFirst(pool)}`,
    );
  progress("Listing what the metadata holds.");
  const listings = await pool.tools.list(devices.metadata.path, { live: false }).catch((error: unknown) => {
    if (!isError(error, "program-failed")) throw error;
    throw pool.refused(`its metadata on ${devices.metadata.path} cannot be read to its end`, repairFirst(pool), error);
  });
  const source = copy ?? pool.copies().find((each) => existsSync(each));
  if (!(await confirm(stepsFor(path, source, listings.length)))) return undefined;
  return { source, superblock, listings };
}

/** A group that this machine does not know yet has nobody but LVM to repair it. */
function repairFirst(pool: OfflinePool): string {
  const { backing } = pool.description;
  return pool.isUnknownGroup && backing.kind === "directLvm"
    ? `if it is damaged, let LVM repair it into the group's spare, lvconvert --repair ${backing.volumeGroup}/${POOL}, and say this again`
    : `if it is damaged, dmthin pool repair ${pool.name} saves what can be saved, without a catalogue too; then say this again`;
}

const stepsFor = (path: string | undefined, source: string | undefined, thins: number): readonly string[] => [
  source === undefined
    ? `there is no catalogue and no copy of it: a new one is begun, in which ${thins === 1 ? "the one thin device is an orphan" : `all ${thins} thin devices are orphans`}, to be given names one by one`
    : `the catalogue is restored from ${source}, and compared with the ${counted(thins, "thin device")} in the metadata`,
  path === undefined
    ? "the volume that it lay on is lost, and is made anew in the pool's volume group"
    : `it is written to ${path}${existsSync(path) ? "; what is there is kept beside it" : ""}`,
];

/** Whether the catalogue that is there will do. One that a refused start has begun knows of no pool. */
async function knownCatalog(pool: OfflinePool, path: string): Promise<"known" | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const catalog = await pool.openCatalog();
    const { formatted } = catalog?.identity ?? { formatted: false };
    catalog?.close();
    return formatted ? "known" : undefined;
  } catch (error) {
    if (isError(error, "catalog-refused")) return undefined;
    throw error;
  }
}

function begin(pool: OfflinePool, path: string, superblock: Found, listings: readonly ThinListing[]): readonly ThinRecord[] {
  const catalog = Catalog.open(path, pool.bootId, { name: pool.name, uuid: randomUUID(), chunkSize: superblock.chunkSize });
  try {
    catalog.change((writer) => {
      writer.setFormatted();
      writer.setTransactionId(superblock.transactionId);
      writer.setNextNumber(nextAfter(listings, 1));
    });
    return [];
  } finally {
    catalog.close();
  }
}

/** A copy is of another moment: what is gone since goes, what came since is an orphan, and no `formatting` is believed. */
function reconcile(pool: OfflinePool, path: string, superblock: Found, listings: readonly ThinListing[]): readonly ThinRecord[] {
  const catalog = Catalog.open(path, pool.bootId, { name: pool.name, uuid: randomUUID(), chunkSize: superblock.chunkSize });
  try {
    const { identity, intent } = catalog;
    if (identity.chunkSize !== superblock.chunkSize || identity.transactionId > superblock.transactionId) throw otherDisks(pool, identity.transactionId);
    const records = [...catalog.thins.values()];
    const listed = new Map(listings.map((listing) => [listing.number, listing]));
    const missing = records.filter(({ number, transactionId }) => listed.get(number)?.transactionId !== transactionId);
    if (records.length > 0 && missing.length === records.length) throw otherDisks(pool, identity.transactionId);
    catalog.change((writer) => {
      if (intent !== undefined) writer.closeIntent();
      writer.setFormatted();
      writer.setTransactionId(superblock.transactionId);
      writer.setNextNumber(nextAfter(listings, identity.nextNumber));
      for (const record of missing) writer.removeThin(record.id);
      for (const record of records) {
        const listing = listed.get(record.number);
        if (listing !== undefined && !missing.includes(record)) writer.putThin(believed(record, listing));
      }
    });
    return missing.filter(({ state }) => state === "ready");
  } finally {
    catalog.close();
  }
}

/** Only what has nothing mapped may be formatted: what was `none` or `formatting` in the copy may hold files by now. */
function believed(record: ThinRecord, { mappedChunks }: ThinListing): ThinRecord {
  const { type } = record.filesystem;
  if (type === undefined || record.filesystem.state === "formatted") return record;
  return { ...record, filesystem: { type, state: mappedChunks > 0 ? "formatted" : "none" } };
}

const otherDisks = (pool: OfflinePool, transactionId: number): Error =>
  pool.refused(
    `the copy, at transaction id ${transactionId}, is not of what is on these disks`,
    "name another with --catalogue, or none after moving this one away",
  );

const nextAfter = (listings: readonly ThinListing[], least: number): number => Math.max(least, ...listings.map(({ number }) => number + 1));

/** SQLite's files beside it are of no other moment. */
async function clear(path: string): Promise<void> {
  for (const end of ["", "-wal", "-shm"]) await rm(`${path}${end}`, { force: true });
}

async function keepOld(path: string): Promise<void> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  for (const end of ["-wal", "-shm", ""]) if (existsSync(`${path}${end}`)) await rename(`${path}${end}`, `${path}.before-import-${stamp}${end}`);
}

/** Opened as the driver opens it: what it would refuse is told now. */
async function imported(pool: OfflinePool, source: ImportReport["source"], missing: readonly ThinRecord[], progress: Progress): Promise<ImportReport> {
  progress("Opening the pool as the driver does.");
  const open = await pool.open();
  const { catalog, listing } = open;
  try {
    const records = [...catalog.thins.values()].filter(({ state }) => state === "ready");
    const { orphans } = compare(await listing.list(), [...catalog.thins.values()], pool.description.chunkSize);
    const volumes = records.filter(({ kind }) => kind === "volume").length;
    return { source, volumes, snapshots: records.length - volumes, missing: missing.map(({ id, name }) => ({ id, name })), orphans: orphans.length };
  } finally {
    await pool.close(open);
  }
}
