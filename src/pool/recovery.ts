import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "../catalog/catalog.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { DeviceMapper } from "../devicemapper/device-mapper.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import type { ThinTools } from "../devicemapper/thin-tools.ts";
import { DmthinError, isErrno } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { isMadeByLvm } from "../lvm/names.ts";
import { metadataBlocksToBytes } from "../units.ts";
import type { BackingDevices, PoolBacking } from "./backings/backing.ts";
import { readSuperblock } from "./backings/block-device.ts";
import { CATALOG_COPY, CatalogCopy } from "./catalog-copy.ts";
import { LiveListing } from "./live-listing.ts";
import { mendPool } from "./mend-pool.ts";
import { isDeviceOfPool, isPoolDevice } from "./names.ts";
import { otherPoolOn } from "./other-pools.ts";
import { ThinDevices } from "./thin-device.ts";
import { ThinPoolDevice } from "./thin-pool-device.ts";
import { requireSamePool, Transitions, type StepObserver } from "./transition.ts";

export interface RecoveryParts {
  readonly description: PoolDescription;
  readonly dm: DeviceMapper;
  readonly tools: ThinTools;
  readonly backing: PoolBacking;
  /** What a metadata device has on disk, where nobody has it open. Default: read from it. */
  readonly readSuperblock?: (metadataPath: string) => ThinSuperblock;
  /** The folder of this pool's catalogue. */
  readonly stateDirectory: string;
  readonly bootId: string;
  readonly logger: Logger;
  readonly observe: StepObserver;
}

/** A pool that serves. */
export interface OpenPool {
  /** With the chunk size that the pool has. */
  readonly description: PoolDescription;
  readonly catalog: Catalog;
  /** Of a catalogue that lies on the pool's own disks. */
  readonly copy: CatalogCopy | undefined;
  readonly device: ThinPoolDevice;
  readonly devices: BackingDevices;
  readonly thins: ThinDevices;
  readonly transitions: Transitions;
  readonly listing: LiveListing;
}

/**
 * The first thing after the pool's lock: whatever a dead process left suspended runs again. Bottom up: what LVM makes, the
 * pool, the volumes; inactive tables are dropped. Each is tried, and the first failure thrown.
 */
export function resumeEverything(
  dm: DeviceMapper,
  { pool, lvmDevices = [] }: { readonly pool: string; readonly lvmDevices?: readonly string[] | undefined },
  logger: Logger,
): void {
  const all = dm.list();
  const below = lvmDevices.flatMap((name) => all.filter((device) => device.name === name && isMadeByLvm(device)));
  const ours = all.filter((device) => isDeviceOfPool(device, pool));
  const failures: unknown[] = [];
  for (const { uuid, name } of [...below, ...ours.toSorted((left, right) => Number(isPoolDevice(right)) - Number(isPoolDevice(left)))]) {
    try {
      if (resumed(dm, uuid)) logger.warn("resumed a device that was left suspended", { device: name });
    } catch (error) {
      logger.error("a device that was left suspended cannot be resumed", { device: name, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function resumed(dm: DeviceMapper, uuid: string): boolean {
  const info = dm.info(uuid);
  if (info?.hasInactiveTable === true) dm.clear(uuid);
  if (info?.suspended !== true || !info.hasActiveTable) return false;
  try {
    dm.resume(uuid);
  } catch (error) {
    if (!isErrno(error, "EINVAL") || !isPoolDevice({ uuid }) || !mendPool(dm, uuid)) throw error;
  }
  return true;
}

/**
 * Brings a pool up: a first start, a restart and a recovery after any death are this one path. The caller holds the
 * pool's lock. Throws "pool-refused" or "catalog-refused" for what a person has to decide; nothing was changed then.
 */
export async function openPool(given: RecoveryParts): Promise<OpenPool> {
  const { dm, logger, backing: stand } = given;
  requireNobodyAtWork(given);
  resumeEverything(dm, { pool: given.description.name, lvmDevices: stand.lvmDevices }, logger);
  mkdirSync(given.stateDirectory, { recursive: true, mode: 0o700 });
  const folder = (await stand.openCatalogFolder?.()) ?? given.stateDirectory;
  const parts = { ...given, description: { ...given.description, chunkSize: (await stand.chunkSize?.()) ?? given.description.chunkSize } };
  const { description } = parts;
  const fresh = { name: description.name, uuid: randomUUID(), chunkSize: description.chunkSize };
  const catalog = Catalog.open(join(folder, "catalog.db"), parts.bootId, fresh);
  try {
    requireSameChunkSize(catalog, description);
    const { device, devices } = await activate(parts, catalog);
    const thins = new ThinDevices(dm, catalog.identity, device.uuid);
    const listing = new LiveListing(device, parts.tools, devices.metadata.path, logger);
    const transitions = new Transitions({ catalog, device, listLive: () => listing.list({ urgent: true }), observe: parts.observe, logger });
    await transitions.recover();
    const copyFolder = folder === given.stateDirectory ? stand.catalogCopyFolder : given.stateDirectory;
    const copy = copyFolder === undefined ? undefined : new CatalogCopy(catalog, join(copyFolder, CATALOG_COPY), logger);
    return { description, catalog, copy, device, devices, thins, transitions, listing };
  } catch (error) {
    catalog.close();
    await stand.detach?.().catch((failure: unknown) => logger.warn("what was attached to be looked at stays so", { error: failure }));
    await stand.closeCatalogFolder?.().catch((failure: unknown) => logger.warn("the catalogue's folder stays mounted", { error: failure }));
    throw error;
  }
}

/** An attempt before this one may have given up waiting for a program that is never killed: what it has suspended is its own to resume. */
function requireNobodyAtWork({ description, backing }: RecoveryParts): void {
  const left = backing.leftAtWork?.();
  if (left === undefined) return;
  const reason = `${left.operation}, begun ${left.since.toISOString()}, has not come to its end`;
  throw new DmthinError({ code: "pool-not-ready", pool: description.name, reason });
}

interface Activated {
  readonly device: ThinPoolDevice;
  readonly devices: BackingDevices;
}

async function activate(parts: RecoveryParts, catalog: Catalog): Promise<Activated> {
  const { backing, description, dm } = parts;
  const isNew = !catalog.identity.formatted;
  if (isNew && !new ThinPoolDevice(dm, catalog.identity).isActive()) await backing.provision();
  const attached = await backing.attach();
  const device = new ThinPoolDevice(dm, catalog.identity, attached.pool);
  requireAlone(parts, attached, device);
  if (isNew) await requireNewPool(parts, catalog, { devices: attached, device });
  else if (!device.isActive()) await requireOwnMetadata(parts, catalog, attached);
  const devices = (await backing.activatePool?.()) ?? attached;
  device.activate(devices, description);
  if (isNew) adopt(catalog, device);
  return { device, devices };
}

function requireAlone({ dm, description }: RecoveryParts, devices: BackingDevices, device: ThinPoolDevice): void {
  const other = otherPoolOn(dm, devices, device.uuid);
  if (other === undefined) return;
  const reason = `its data or metadata device is in use by another thin pool, ${other}`;
  throw refused(description.name, reason, "name other devices, or take that pool down first");
}

/** Before the catalogue says "formatted" the metadata is blank, or what an interrupted first start left: a pool without a single transition. */
async function requireNewPool(
  parts: RecoveryParts,
  catalog: Catalog,
  pool: { readonly devices: BackingDevices; readonly device: ThinPoolDevice },
): Promise<void> {
  const { devices, device } = pool;
  // Of an active pool the kernel tells: what is on the disk may be behind, and what was read of it before may be in memory.
  const found = device.isActive() ? activePool(device) : superblockOf(parts, devices);
  if (found.kind === "blank" || (found.kind === "thin-pool" && found.transactionId <= 1 && catalog.thins.size === 0 && catalog.identity.nextNumber === 1)) {
    if (found.kind === "thin-pool") await requireNoThins(parts, devices, device);
    return;
  }
  throw refused(
    parts.description.name,
    found.kind === "thin-pool"
      ? `its metadata device holds a thin pool (at transaction id ${found.transactionId}) that this catalogue does not know`
      : "its metadata device holds something that is no thin pool",
    `if it is this pool's, bring it back with what it holds: dmthin pool import ${parts.description.name}; leave the device alone while another driver or LVM uses it (see lsblk); only if nobody needs its content, zero its first 4 KiB`,
  );
}

const superblockOf = ({ readSuperblock: read = readSuperblock }: RecoveryParts, { metadata }: BackingDevices): ThinSuperblock => read(metadata.path);

const activePool = (device: ThinPoolDevice) => ({ kind: "thin-pool", transactionId: device.figures({ exact: true }).transactionId }) as const;

async function requireNoThins({ tools, description, logger }: RecoveryParts, { metadata }: BackingDevices, device: ThinPoolDevice): Promise<void> {
  const listings = await (device.isActive() ? new LiveListing(device, tools, metadata.path, logger).list() : tools.list(metadata.path, { live: false }));
  if (listings.length === 0) return;
  throw refused(
    description.name,
    `its metadata device holds a thin pool with ${listings.length} thin devices that this catalogue does not know`,
    `bring it back with what it holds: dmthin pool import ${description.name}`,
  );
}

/**
 * A pool that was made before must still be there: the kernel would silently make a new one of blank metadata.
 * The metadata is checked as LVM checks it at activation, since raw pools skip that.
 */
async function requireOwnMetadata(parts: RecoveryParts, catalog: Catalog, devices: BackingDevices): Promise<void> {
  const pool = parts.description.name;
  const found = superblockOf(parts, devices);
  if (found.kind !== "thin-pool") {
    throw refused(
      pool,
      `its metadata device holds ${found.kind === "blank" ? "nothing but zeros" : "something that is no thin pool"} where its metadata was`,
      `attach the right metadata device; if it is damaged, stop the driver and say: dmthin pool repair ${pool}`,
    );
  }
  if (found.chunkSize !== catalog.identity.chunkSize) {
    throw refused(
      pool,
      `its metadata says chunks of ${found.chunkSize} bytes, its catalogue ${catalog.identity.chunkSize}`,
      "attach the right metadata device",
    );
  }
  const neededBytes = metadataBlocksToBytes(found.metadata);
  if (devices.metadata.sizeBytes < neededBytes) {
    throw refused(
      pool,
      `its metadata device has ${devices.metadata.sizeBytes} bytes, and its metadata ${neededBytes}: it was cut short`,
      "attach the right metadata device, or restore its content",
    );
  }
  requireSamePool(catalog.identity, found.transactionId, catalog.intent);
  if (found.needsCheck) {
    throw refused(
      pool,
      "its metadata is marked needs_check: an operation on it has failed",
      `stop the driver, unmount its volumes, and say: dmthin pool repair ${pool}`,
    );
  }
  try {
    await parts.tools.check(devices.metadata.path);
  } catch (error) {
    throw refused(
      pool,
      "thin_check finds its metadata damaged",
      `stop the driver, unmount its volumes, and say: dmthin pool repair ${pool}; the volumes' data is untouched`,
      error,
    );
  }
}

/** Makes the new pool ours: its transaction id moves to 1, which fences off LVM's own thin volumes, and the catalogue takes note. */
function adopt(catalog: Catalog, device: ThinPoolDevice): void {
  if (device.figures({ exact: true }).transactionId === 0) device.setTransactionId(0, 1);
  catalog.change((writer) => {
    writer.setFormatted();
    writer.setTransactionId(1);
  });
}

function requireSameChunkSize(catalog: Catalog, description: PoolDescription): void {
  if (catalog.identity.chunkSize === description.chunkSize) return;
  const reason = `its chunk size is ${catalog.identity.chunkSize} bytes, and its description says ${description.chunkSize}`;
  throw refused(description.name, reason, "a chunk size is fixed for a pool's life: put the old one back into its description");
}

const refused = (pool: string, reason: string, remedy: string, cause?: unknown): DmthinError =>
  new DmthinError({ code: "pool-refused", pool, reason, remedy }, { cause });
