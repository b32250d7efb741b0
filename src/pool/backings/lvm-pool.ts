import type { DeviceMapper } from "../../devicemapper/device-mapper.ts";
import { parsePoolTarget } from "../../devicemapper/thin-table.ts";
import { DmthinError, isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Lvm } from "../../lvm/lvm.ts";
import { kernelUuid, poolKernelNames } from "../../lvm/names.ts";
import type { LogicalVolume, PoolReport } from "../../lvm/reports.ts";
import { bytes, sectorsToBytes, type Bytes } from "../../units.ts";
import type { BackingDevice, BackingDevices } from "./backing.ts";
import { deviceByNumber } from "./block-device.ts";

export interface LvmPoolParts {
  /** Of the driver, for its errors and for the name of its profile. */
  readonly pool: string;
  readonly group: string;
  /** Of the logical volume. */
  readonly name: string;
  readonly autoextend: { readonly thresholdPercent: number; readonly percent: number };
  readonly dm: DeviceMapper;
  readonly logger: Logger;
}

/** A thin pool as LVM has it on record. */
export interface FoundPool {
  readonly volume: LogicalVolume;
  readonly report: PoolReport;
  readonly data: LogicalVolume;
  readonly metadata: LogicalVolume;
}

/** A thin pool that LVM makes, activates and grows. The volumes in it are ours, and nothing of LVM's. */
export class LvmPool {
  readonly #parts: LvmPoolParts;
  readonly #lvm: () => Lvm;
  /** As `attach` found it active: `activate` need not ask again. */
  #attached: FoundPool | undefined;
  /** The parts that are active by themselves, to be looked at. */
  #readable: readonly string[] = [];

  /** `lvm` is asked for at each use: the disks that it is shown may change. */
  constructor(parts: LvmPoolParts, lvm: () => Lvm) {
    this.#parts = parts;
    this.#lvm = lvm;
  }

  get fullName(): string {
    return `${this.#parts.group}/${this.#parts.name}`;
  }

  get profile(): string {
    return `dmthin-${this.#parts.pool}`;
  }

  get kernelNames(): readonly string[] {
    return poolKernelNames(this.#parts.group, this.#parts.name);
  }

  /** undefined: there is no such volume, or it is no thin pool. `listed`: what LVM has just said of the group. */
  async find(listed?: readonly LogicalVolume[]): Promise<FoundPool | undefined> {
    const volumes = listed ?? (await this.#lvm().logicalVolumes(this.#parts.group));
    const volume = volumes.find(({ name, hidden }) => name === this.#parts.name && !hidden);
    const report = volume?.pool;
    const data = volumes.find(({ name }) => name === report?.data);
    const metadata = volumes.find(({ name }) => name === report?.metadata);
    return volume === undefined || report === undefined || data === undefined || metadata === undefined ? undefined : { volume, report, data, metadata };
  }

  /** The pool's two parts. Where it is not active they are made readable, by themselves: the kernel makes a new pool of blank metadata without asking, so it is looked at first. */
  async attach(listed?: readonly LogicalVolume[]): Promise<BackingDevices> {
    const found = await this.#found(listed);
    const uuid = kernelUuid(found.volume, "-tpool");
    this.#attached = this.#isActive(uuid) ? found : undefined;
    if (this.#attached !== undefined) return this.#live(uuid);
    this.#readable = this.#partNames(found);
    await this.#lvm().activate(...this.#readable);
    const [data, metadata] = [await this.#device(kernelUuid(found.data, "-tdata")), await this.#device(kernelUuid(found.metadata, "-tmeta"))];
    return { data, metadata, pool: { uuid } };
  }

  /** LVM activates no pool whose parts are active: who looks into why it was refused could not. */
  async detach(): Promise<void> {
    const parts = this.#readable;
    this.#readable = [];
    if (parts.length > 0) await this.#lvm().deactivate(...parts);
  }

  /** Activates it, or finds it active; then its tables are what LVM has on record, whatever was interrupted. */
  async activate(): Promise<BackingDevices> {
    const found = this.#attached ?? (await this.#found());
    this.#attached = undefined;
    const uuid = kernelUuid(found.volume, "-tpool");
    await this.#prepareProfile(found);
    if (!this.#isActive(uuid)) {
      await this.#lvm().deactivate(...this.#partNames(found));
      this.#readable = [];
      await this.#lvm().activate(this.fullName);
    } else if (await this.#isStale(found, uuid)) await this.#lvm().refresh(this.fullName);
    return this.#live(uuid);
  }

  /** Answers the volumes that were there before and are the old metadata now: those that a repair has made. */
  async repair(thinRepairOptions: readonly string[]): Promise<readonly string[]> {
    const names = async (): Promise<readonly string[]> =>
      (await this.#lvm().logicalVolumes(this.#parts.group)).filter(({ hidden }) => !hidden).map(({ name }) => name);
    const before = new Set(await names());
    await this.#lvm().repairPool(this.fullName, thinRepairOptions);
    return (await names()).filter((name) => !before.has(name)).map((name) => `${this.#parts.group}/${name}`);
  }

  async deactivate(): Promise<void> {
    const found = await this.find();
    if (found !== undefined) await this.#lvm().deactivate(this.fullName, ...(this.#isActive(kernelUuid(found.volume, "-tpool")) ? [] : this.#partNames(found)));
  }

  /** Extends a part by that many extents of these disks. LVM loads the kernel's tables itself. */
  async extend(
    found: FoundPool,
    part: "data" | "metadata",
    by: { readonly extents: number; readonly extentBytes: Bytes },
    on: readonly string[],
  ): Promise<void> {
    await this.#prepareProfile(found);
    if (part === "data") await this.#lvm().extend(this.fullName, by.extents, on);
    else await this.#extendMetadata(found, bytes(by.extents * by.extentBytes), on);
  }

  /** Repair writes into the spare, which has to be as large. Where the disks of both have no room, metadata on others of its own is worth more than a spare that follows. */
  async #extendMetadata({ metadata: before }: FoundPool, by: Bytes, on: readonly string[]): Promise<void> {
    const lvm = this.#lvm();
    if (on.length === 0) return lvm.extendPoolMetadata(this.fullName, by);
    try {
      await lvm.extendPoolMetadata(this.fullName, by, { stays: true });
    } catch (error) {
      // One that is still at work, or came as far as LVM's own record, has extended it: by as much again is once too often.
      if (!hasRefused(error) || (await this.#metadataBytes()) !== before.sizeBytes) throw error;
      this.#parts.logger.warn("LVM has refused to extend the metadata together with its spare: the metadata is extended alone, and the spare has not grown", {
        volume: this.fullName,
        error,
      });
      await withCause(error, async () => lvm.extendPoolMetadata(this.fullName, by, { on }));
    }
  }

  /** As LVM has it on record now; undefined: it does not tell. */
  async #metadataBytes(): Promise<Bytes | undefined> {
    try {
      return (await this.find())?.metadata.sizeBytes;
    } catch (error) {
      this.#parts.logger.warn("LVM does not tell how large the metadata is", { volume: this.fullName, error });
      return undefined;
    }
  }

  /** The kernel's tables follow what LVM has on record. Found right, nothing is done. */
  async settle(): Promise<void> {
    const found = await this.#found();
    if (!(await this.#isStale(found, kernelUuid(found.volume, "-tpool")))) return;
    await this.#prepareProfile(found);
    await this.#lvm().refresh(this.fullName);
  }

  async setWhenFull(whenFull: "queue" | "error"): Promise<void> {
    const found = await this.#found();
    await this.#prepareProfile(found);
    if (found.report.whenFull !== whenFull) await this.#lvm().changeVolume(this.fullName, { whenFull });
    await this.settle();
  }

  /** Without its profile an activated pool has no low water mark, so that the kernel never wakes us. */
  async #prepareProfile({ report }: FoundPool): Promise<void> {
    await this.#lvm().writeProfile(this.profile, this.#parts.autoextend);
    if (report.profile !== this.profile) await this.#lvm().changeVolume(this.fullName, { profile: this.profile });
  }

  async #found(listed?: readonly LogicalVolume[]): Promise<FoundPool> {
    const found = await this.find(listed);
    if (found !== undefined) return found;
    const { pool } = this.#parts;
    const reason = `there is no thin pool ${this.fullName} on its disks`;
    throw new DmthinError({ code: "pool-refused", pool, reason, remedy: "attach all of its disks, and look at lvs --all" });
  }

  /** Whether the kernel's tables differ from what LVM has on record. */
  async #isStale(found: FoundPool, uuid: string): Promise<boolean> {
    const [target] = this.#parts.dm.table(uuid);
    const table = target === undefined ? undefined : parsePoolTarget(target);
    if (target === undefined || table === undefined) return true;
    const thresholdPercent = Math.round(this.#parts.autoextend.thresholdPercent);
    const chunkCount = Math.floor(found.volume.sizeBytes / table.chunkSize);
    const isMarked = thresholdPercent >= 100 || Math.abs(table.lowWaterMark - (chunkCount * (100 - thresholdPercent)) / 100) <= 1;
    const [data, metadata] = [await deviceByNumber(table.data), await deviceByNumber(table.metadata)];
    const isFull = table.features.includes("error_if_no_space") === (found.report.whenFull === "error");
    const sizes = [sectorsToBytes(target.length), data.sizeBytes, metadata.sizeBytes];
    const onRecord = [found.volume.sizeBytes, found.data.sizeBytes, found.metadata.sizeBytes];
    return !isMarked || !isFull || sizes.some((size, index) => size !== onRecord[index]);
  }

  #isActive(uuid: string): boolean {
    return this.#parts.dm.info(uuid)?.hasActiveTable === true;
  }

  #partNames({ data, metadata }: FoundPool): readonly string[] {
    return [data, metadata].map(({ name }) => `${this.#parts.group}/${name}`);
  }

  async #live(uuid: string): Promise<BackingDevices> {
    const [target] = this.#parts.dm.table(uuid);
    const table = target === undefined ? undefined : parsePoolTarget(target);
    if (table === undefined) throw new DmthinError({ code: "pool-not-ready", pool: this.#parts.pool, reason: `${this.fullName} has no thin pool's table` });
    return { data: await deviceByNumber(table.data), metadata: await deviceByNumber(table.metadata), pool: { uuid } };
  }

  async #device(uuid: string): Promise<BackingDevice> {
    const info = this.#parts.dm.info(uuid);
    if (info === undefined)
      throw new DmthinError({ code: "pool-not-ready", pool: this.#parts.pool, reason: `LVM has not activated the parts of ${this.fullName}` });
    return deviceByNumber(info);
  }
}

/** Whether a command has come to an end of its own: one that was given up is still at work, one that was killed may have done anything. */
function hasRefused(error: unknown): boolean {
  if (!isError(error, "program-failed")) return false;
  const { exitCode, timedOut, aborted } = error.facts;
  return exitCode !== undefined && !timedOut && !aborted;
}

/** What fails in place of something else does not hide what that has failed with. */
async function withCause(cause: unknown, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof DmthinError ? new DmthinError(error.facts, { cause }) : error;
  }
}
