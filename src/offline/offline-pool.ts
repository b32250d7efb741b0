import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { Catalog } from "../catalog/catalog.ts";
import type { DirectLvmBacking, PoolDescription } from "../config/pool-description.ts";
import type { PoolsHere } from "../config/pools-here.ts";
import { KernelDeviceMapper } from "../devicemapper/kernel.ts";
import type { ThinSuperblock } from "../devicemapper/thin-superblock.ts";
import { ThinToolsPrograms } from "../devicemapper/thin-tools-programs.ts";
import { DmthinError } from "../errors.ts";
import { run } from "../exec/run.ts";
import { probe } from "../filesystem/probe.ts";
import { readBootId } from "../linux/boot-id.ts";
import type { Lock } from "../linux/lock.ts";
import type { Logger } from "../logger.ts";
import type { BackingDevices, PoolBacking } from "../pool/backings/backing.ts";
import { readSuperblock } from "../pool/backings/block-device.ts";
import { CATALOG_COPY } from "../pool/catalog-copy.ts";
import { createBacking } from "../pool/backings/create-backing.ts";
import { importGroup, keepGroup } from "../pool/backings/direct-lvm-import.ts";
import { readMark, removeMark } from "../pool/backings/direct-lvm-mark.ts";
import type { DirectLvmParts } from "../pool/backings/direct-lvm-parts.ts";
import { lvmLockOf, tryPoolLock } from "../pool/pool-lock.ts";
import { openPool, resumeEverything, type OpenPool } from "../pool/recovery.ts";
import { deactivateIdle, requireIdle } from "./idle.ts";

const look = async (device: string, signal?: AbortSignal) => probe(run, device, signal);

/**
 * A pool in the hands of a command, while no driver has it: its lock is held, and nothing of it is in use. What is left
 * active and open by nobody is deactivated; the next start activates it again.
 */
export class OfflinePool implements AsyncDisposable {
  readonly description: PoolDescription;
  /** The pool's own folder in the state directory. */
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly tools = new ThinToolsPrograms();
  readonly dm = new KernelDeviceMapper();
  readonly backing: PoolBacking;
  readonly logger: Logger;
  readonly #lock: Lock;
  readonly #lvmLock: string;
  #isImporting = false;
  #isUnknownGroup = false;

  private constructor(description: PoolDescription, config: PoolsHere, lock: Lock, logger: Logger) {
    this.description = description;
    this.stateDirectory = join(config.stateDirectory, description.name);
    this.runDirectory = config.runDirectory;
    this.logger = logger;
    this.#lock = lock;
    this.#lvmLock = lvmLockOf(config.runDirectory, description.name);
    const { dm, stateDirectory } = this;
    this.backing = createBacking(description, { probe: look, dm, stateDirectory, lvmLock: this.#lvmLock, isImporting: this.#importing, logger });
  }

  /** Throws "root-needed", "not-found", or "pool-unchanged" while a driver has the pool or something of it is in use; nothing was touched then. */
  static take(config: PoolsHere, name: string, logger: Logger): OfflinePool {
    if (process.getuid?.() !== 0) throw new DmthinError({ code: "root-needed", operation: "work on a pool's disks" });
    const description = config.pools.find((pool) => pool.name === name);
    if (description === undefined) throw new DmthinError({ code: "not-found", kind: "pool", id: name, known: config.pools.map((pool) => pool.name) });
    mkdirSync(config.runDirectory, { recursive: true, mode: 0o700 });
    const lock = tryPoolLock(config.runDirectory, name);
    if (lock === undefined)
      throw refusal(
        name,
        "a driver or another command has it, or LVM that one has left at work",
        "stop that first: this is done while nobody else is at work on the pool",
      );
    const pool = new OfflinePool(description, config, lock, logger);
    try {
      requireIdle(pool.dm, name);
      resumeEverything(pool.dm, { pool: name, lvmDevices: pool.backing.lvmDevices }, logger);
      return pool;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  readonly #importing = (): boolean => this.#isImporting;

  get name(): string {
    return this.description.name;
  }

  /** The pool with another place for its metadata, or the like; the lock stays. */
  describedAs(description: PoolDescription): PoolBacking {
    const { dm, stateDirectory, logger } = this;
    return createBacking(description, { probe: look, dm, stateDirectory, lvmLock: this.#lvmLock, isImporting: this.#importing, logger });
  }

  /** There while the metadata was replaced and the catalogue did not follow yet. */
  get repairMark(): string {
    return join(this.stateDirectory, "repairing");
  }

  /** Where copies of the catalogue are looked for. */
  copies(): readonly string[] {
    return [this.backing.catalogCopyFolder, this.stateDirectory].flatMap((folder) => (folder === undefined ? [] : [join(folder, CATALOG_COPY)]));
  }

  /** Takes a volume group that was made for this pool and is not known here: the first thing of an import. Answers whether there was one to take. */
  async findGroup(): Promise<boolean> {
    const { backing } = this.description;
    this.#isImporting = true;
    this.#isUnknownGroup = backing.kind === "directLvm" && (await importGroup(this.#directLvm(backing)));
    return this.#isUnknownGroup;
  }

  /** Whether it is on disks whose volume group is only being imported: no other command takes it until then. */
  get isUnknownGroup(): boolean {
    return this.#isUnknownGroup;
  }

  /** Its catalogue is in place: it is this machine's own, whatever is interrupted from now on. */
  async keepGroup(): Promise<void> {
    await keepGroup(this);
    this.#isImporting = false;
  }

  /** Undoes `findGroup`: the next start would take the group. */
  async forgetGroup(): Promise<void> {
    try {
      await this.backing.detach?.();
      await this.backing.closeCatalogFolder?.();
    } finally {
      await removeMark(this.stateDirectory);
    }
  }

  /** Whether its disks are known here: those of a volume group are, once it was made or imported. Where not, to look for it would make it. */
  async isMade(): Promise<boolean> {
    if (this.description.backing.kind !== "directLvm") return true;
    const mark = await readMark(this.stateDirectory);
    return mark !== undefined && mark.phase !== "making";
  }

  /** Whether another keeps the pool's device up and nobody here takes it down: then the metadata below is the kernel's alone. */
  get isKeptUp(): boolean {
    return this.description.backing.kind === "existing" && this.backing.release === undefined;
  }

  /** Whether there is metadata to be looked at; files may be gone already. */
  async hasMetadata(): Promise<boolean> {
    if (this.isKeptUp) return false;
    const { backing } = this.description;
    return backing.kind === "loop" ? existsSync(join(backing.directory, "metadata.img")) : this.isMade();
  }

  /** A removal that was interrupted: what it had to look at first may be gone. */
  async isBeingWiped(): Promise<boolean> {
    return this.description.backing.kind === "directLvm" && (await readMark(this.stateDirectory))?.phase === "wiping";
  }

  /** Where the catalogue lies; on disks of its own it is mounted for that. `remake`: also where that place was lost. */
  async catalogPath(options?: { readonly remake: boolean }): Promise<string> {
    await this.#requireMade();
    return join((await this.backing.openCatalogFolder?.(options)) ?? this.stateDirectory, "catalog.db");
  }

  /** Whether the catalogue still has its place. */
  async hasCatalogPlace(): Promise<boolean> {
    await this.#requireMade();
    return (await this.backing.hasCatalogFolder?.()) ?? true;
  }

  /** The catalogue, as it is; undefined where there is none, and none is begun. To be closed. */
  async openCatalog(): Promise<Catalog | undefined> {
    if (!(await this.isMade()) || !(await this.hasCatalogPlace())) return undefined;
    const path = await this.catalogPath();
    if (!existsSync(path)) return undefined;
    return Catalog.open(path, this.bootId, { name: this.name, uuid: randomUUID(), chunkSize: this.description.chunkSize });
  }

  /** The devices below, with nothing of the pool active above them. */
  async attachIdle(): Promise<{ readonly devices: BackingDevices; readonly superblock: ThinSuperblock }> {
    await this.#requireMade();
    this.deactivate();
    await this.backing.release?.();
    const devices = await this.backing.attach();
    this.#requireInactive(devices);
    return { devices, superblock: readSuperblock(devices.metadata.path) };
  }

  deactivate(): void {
    deactivateIdle(this.dm, this.name);
  }

  /** As the driver opens it: by the same path, with the same refusals. */
  async open(description: PoolDescription = this.description): Promise<OpenPool> {
    const { dm, tools, stateDirectory, bootId, logger } = this;
    return openPool({ description, dm, tools, stateDirectory, bootId, logger, backing: this.describedAs(description), observe: () => undefined });
  }

  /** Of what `open` answered: nothing of the pool is active afterwards. */
  async close({ catalog, copy }: OpenPool): Promise<void> {
    copy?.end();
    catalog.close();
    this.deactivate();
    await this.backing.release?.();
  }

  get bootId(): string {
    return readBootId();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backing.closeCatalogFolder?.();
    this.dm.close();
    this.#lock.release();
  }

  /** The thin tools would find its metadata busy, which looks like damage. */
  #requireInactive({ pool, metadata }: BackingDevices): void {
    const active = pool === undefined ? undefined : this.dm.info(pool.uuid);
    if (active?.hasActiveTable !== true) return;
    throw this.refused(
      `${active.name} is active, so that the kernel alone has its metadata, and it is its administrator's to take down`,
      `do it by hand: dmsetup remove ${active.name}, thin_check ${metadata.path} (thin_repair, where that finds damage), and make it again as it was`,
    );
  }

  async #requireMade(): Promise<void> {
    if (!(await this.isMade())) throw this.refused("it was never made here", `dmthin pool import ${this.name}, where its disks hold it already`);
  }

  #directLvm(backing: DirectLvmBacking): DirectLvmParts {
    const { description, dm, stateDirectory, logger } = this;
    return { description, backing, dm, run, stateDirectory, lvmLock: this.#lvmLock, isImporting: this.#importing, logger, observe: () => undefined };
  }

  refused(reason: string, remedy: string, cause?: unknown): DmthinError {
    return refusal(this.name, reason, remedy, cause);
  }
}

const refusal = (pool: string, reason: string, remedy: string, cause?: unknown): DmthinError =>
  new DmthinError({ code: "pool-unchanged", pool, reason, remedy }, { cause });
