import { link, open, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { judgeMetadata, repairMetadata, repairOptions, type PoolFacts } from "../devicemapper/thin-repair.ts";
import type { DevicesBacking, LoopBacking, PoolDescription } from "../config/pool-description.ts";
import { run } from "../exec/run.ts";
import { putInPlace, syncPath } from "../files.ts";
import { probe } from "../filesystem/probe.ts";
import type { BackingDevices } from "../pool/backings/backing.ts";
import { areEndsBlank, findBlockDevice, readSuperblock } from "../pool/backings/block-device.ts";
import { writeOut } from "../pool/backings/write-out.ts";
import { formatBytes } from "../units.ts";
import type { OfflinePool } from "./offline-pool.ts";

/** How damaged metadata is written anew, elsewhere than where it is. */
export interface NewMetadata {
  /** What will be done with the old and the new, in sentences. */
  readonly steps: readonly string[];
  /** Writes it, checks it, and only then lets it take the place of the old. Repeated after an interruption, begins anew. */
  write(facts: PoolFacts | undefined): Promise<Replaced>;
}

export interface Replaced {
  /** The pool as it is described from now on. */
  readonly description: PoolDescription;
  /** What has to be done by hand afterwards. */
  readonly remaining: readonly string[];
}

/** Where the pool's backing has a place for new metadata. Throws "pool-unchanged" with what is missing; nothing was written then. */
export async function newMetadata(pool: OfflinePool, devices: BackingDevices, onto: string | undefined): Promise<NewMetadata> {
  const { backing } = pool.description;
  switch (backing.kind) {
    case "loop":
      if (onto !== undefined) throw pool.refused("its metadata is a file", "leave --onto away: a new file is written beside it");
      return inFile(pool, backing);
    case "devices":
      return ontoDevice(pool, backing, devices, onto);
    case "directLvm":
    case "existing":
      if (onto !== undefined) throw pool.refused("LVM has its metadata", "leave --onto away: the group's spare takes the new metadata");
      return onSpare(pool);
  }
}

function inFile(pool: OfflinePool, { directory }: LoopBacking): NewMetadata {
  const path = join(directory, "metadata.img");
  const unfinished = `${path}.repaired`;
  const kept = `${path}.before-repair-${stamp()}`;
  return {
    steps: [`thin_repair writes what can be saved to ${unfinished}, and thin_check looks it through`, `that becomes ${path}; the old one is kept as ${kept}`],
    write: async (facts) => {
      const { size } = await stat(path);
      await rm(unfinished, { force: true });
      await makeWrittenOut(unfinished, size);
      await repairMetadata(path, unfinished, facts);
      await requireSound(pool, unfinished);
      await follow(pool, unfinished);
      await pool.backing.release?.();
      await syncPath(unfinished);
      await link(path, kept);
      await putInPlace(unfinished, path);
      return { description: pool.description, remaining: [`when all is well, and nobody needs it any more: rm ${kept}`] };
    },
  };
}

async function ontoDevice(pool: OfflinePool, backing: DevicesBacking, devices: BackingDevices, onto: string | undefined): Promise<NewMetadata> {
  const needs = `a blank one of at least ${formatBytes(devices.metadata.sizeBytes)}`;
  if (onto === undefined) throw pool.refused("repaired metadata is written to another device", `name ${needs}: dmthin pool repair ${pool.name} --onto DEVICE`);
  const device = await findBlockDevice(onto);
  if (device === undefined) throw pool.refused(`${onto} is no block device`, `name ${needs}`);
  if (device.sizeBytes < devices.metadata.sizeBytes) throw pool.refused(`${onto} has only ${formatBytes(device.sizeBytes)}`, `name ${needs}`);
  if ([devices.data, devices.metadata].some(({ major, minor }) => major === device.major && minor === device.minor))
    throw pool.refused(`${onto} is the pool's own`, `name ${needs}`);
  const found = await probe(run, onto, undefined);
  if (found !== undefined || !areEndsBlank(device))
    throw pool.refused(
      `${onto} holds ${found?.type ?? "data: its first or last MiB is not zero"}`,
      `name ${needs}; if its content may be lost: blkdiscard --zeroout ${onto}`,
    );
  return {
    steps: [
      `thin_repair writes what can be saved to ${onto}, and thin_check looks it through`,
      `${backing.metadata} stays as it is, and is not the pool's any more`,
    ],
    write: async (facts) => {
      await repairMetadata(devices.metadata.path, onto, facts);
      await requireSound(pool, onto);
      await follow(pool, onto);
      const description = { ...pool.description, backing: { ...backing, metadata: onto } };
      return {
        description,
        remaining: [`in the configuration, let backing.devices.metadata of pool ${pool.name} be ${onto}: until then the driver refuses the pool`],
      };
    },
  };
}

/**
 * lvconvert swaps old and new in one commit. The catalogue follows after it, so a file says meanwhile that it has to: a
 * repair that is begun again finds sound metadata then, and follows.
 */
function onSpare(pool: OfflinePool): NewMetadata {
  const { backing } = pool;
  if (backing.repairMetadata === undefined) throw pool.refused("its device is another's to make", "repair it with the means by which it was made");
  return {
    steps: ["lvconvert --repair writes what can be saved to the volume group's spare, and keeps the old metadata as a volume of its own"],
    write: async (facts) => {
      await writeFile(pool.repairMark, "", { mode: 0o600, flush: true });
      const kept = (await backing.repairMetadata?.(facts === undefined ? [] : repairOptions(facts))) ?? [];
      await followAttached(pool);
      return { description: pool.description, remaining: kept.map((name) => `when all is well, and nobody needs the old metadata any more: lvremove ${name}`) };
    },
  };
}

/** Also for a repair that was interrupted after the swap. */
export async function followAttached(pool: OfflinePool): Promise<void> {
  const { devices } = await pool.attachIdle();
  await requireSound(pool, devices.metadata.path);
  await follow(pool, devices.metadata.path);
  await rm(pool.repairMark, { force: true });
}

async function requireSound(pool: OfflinePool, path: string): Promise<void> {
  const verdict = await judgeMetadata(path);
  if (verdict.kind === "damaged")
    throw pool.refused(`thin_repair could not save its metadata: ${verdict.findings}`, "the old metadata is untouched: keep it for somebody who can read it");
}

/**
 * thin_repair moves the transaction id beyond that of every thin device, where ours have the pool's own. The catalogue goes
 * first: interrupted before the metadata is replaced, a repair begins anew with what it says. What an open intent has
 * made is an orphan now.
 */
async function follow(pool: OfflinePool, path: string): Promise<void> {
  const found = readSuperblock(path);
  const catalog = await pool.openCatalog();
  try {
    if (catalog === undefined || found.kind !== "thin-pool" || catalog.identity.transactionId === found.transactionId) return;
    catalog.change((writer) => {
      writer.setTransactionId(found.transactionId);
      if (catalog.intent !== undefined) writer.closeIntent();
    });
  } finally {
    catalog?.close();
  }
}

/** Fully allocated, as the driver makes it: a pool that cannot write its metadata turns read-only. */
async function makeWrittenOut(path: string, size: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await writeOut(file, size);
  } finally {
    await file.close();
  }
}

/** "2026-11-21T13-20-05": sorts, and needs no quotes. */
const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(":", "-");
