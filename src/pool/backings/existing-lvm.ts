import type { PoolDescription } from "../../config/pool-description.ts";
import type { DeviceMapper } from "../../devicemapper/device-mapper.ts";
import { DmthinError } from "../../errors.ts";
import type { Run } from "../../exec/run.ts";
import type { Logger } from "../../logger.ts";
import { Lvm, lvmLeftAtWork, type LeftAtWork } from "../../lvm/lvm.ts";
import type { LogicalVolume, PhysicalVolume } from "../../lvm/reports.ts";
import type { Bytes } from "../../units.ts";
import type { BackingDevices, PoolBacking } from "./backing.ts";
import { NOT_ZEROED } from "./existing-device.ts";
import { DMTHIN_TAG, poolTag } from "./direct-lvm-mark.ts";
import { labelledDisks, type LabelledDisk } from "./lvm-labels.ts";
import { LvmGrowth, type GroupRoom } from "./lvm-growth.ts";
import type { Part } from "./growth.ts";
import { LvmPool, type FoundPool } from "./lvm-pool.ts";

interface UsablePool extends FoundPool {
  /** All of its volume group, as it was found in. */
  readonly listed: readonly LogicalVolume[];
}

export interface ExistingLvmParts {
  readonly description: PoolDescription;
  readonly group: string;
  readonly volume: string;
  readonly dm: DeviceMapper;
  readonly run: Run;
  readonly lvmLock: string | undefined;
  readonly logger: Logger;
}

/**
 * A thin pool that an administrator made with LVM, in a volume group that stays the administrator's: nothing is made or
 * removed in it. The pool is activated after each boot, and grows into what the group has free.
 */
export class ExistingLvmPool implements PoolBacking {
  readonly lvmDevices: readonly string[];
  readonly growth: LvmGrowth;
  readonly #parts: ExistingLvmParts;
  readonly #pool: LvmPool;
  #lvm: Lvm | undefined;

  constructor(parts: ExistingLvmParts) {
    const { description, group, volume, dm, logger } = parts;
    const { name: pool, autoextend } = description;
    this.#parts = parts;
    this.#pool = new LvmPool({ pool, group, name: volume, autoextend, dm, logger }, () => this.#shown());
    this.lvmDevices = this.#pool.kernelNames;
    const remedy = `add a disk to it: vgextend ${group} DISK`;
    this.growth = new LvmGrowth({ pool, group, look: async () => this.#room(), remedy }, this.#pool);
  }

  /** Refuses what is no pool, or another's. Marks nothing: activatePool does. */
  async provision(): Promise<void> {
    const { volume } = await this.#requireUsable();
    const { name } = this.#parts.description;
    const other = volume.tags.find((tag) => tag.startsWith(poolTag("")) && tag !== poolTag(name));
    if (other !== undefined)
      throw this.#refused(
        `it has the tag ${other}: it belongs to another pool`,
        `name another one; only if that pool is no more, lvchange --deltag ${other} ${this.#pool.fullName}`,
      );
  }

  async chunkSize(): Promise<Bytes> {
    return (await this.#requireUsable()).report.chunkSize;
  }

  async attach(): Promise<BackingDevices> {
    const { listed } = await this.#requireUsable();
    return this.#pool.attach(listed);
  }

  async detach(): Promise<void> {
    await this.#pool.detach();
  }

  async repairMetadata(thinRepairOptions: readonly string[]): Promise<readonly string[]> {
    await this.release();
    return this.#pool.repair(thinRepairOptions);
  }

  async release(): Promise<void> {
    await this.#requireUsable();
    await this.#pool.deactivate();
  }

  /** Marks it as ours first, for all who look at it with LVM. */
  async activatePool(): Promise<BackingDevices> {
    const { volume } = await this.#requireUsable();
    const missing = [DMTHIN_TAG, poolTag(this.#parts.description.name)].filter((tag) => !volume.tags.includes(tag));
    if (missing.length > 0) await this.#shown().changeVolume(this.#pool.fullName, { add: missing });
    const devices = await this.#pool.activate();
    // Two who make one pool larger at the same time are one too many; and who does it beside the driver's gate deadlocks with its snapshots.
    await this.#shown().stopMonitoring(this.#pool.fullName);
    return devices;
  }

  leftAtWork(): LeftAtWork | undefined {
    return lvmLeftAtWork();
  }

  /** LVM counts its own thin volumes by a transaction id that it compares with the kernel's, which is ours to move: with one in the pool it would not be activated any more. */
  async #requireUsable(): Promise<UsablePool> {
    this.#lvm = await this.#onItsDisks();
    const listed = await this.#lvm.logicalVolumes(this.#parts.group);
    const found = await this.#pool.find(listed);
    const { fullName } = this.#pool;
    if (found === undefined) throw this.#refused(`${fullName} is no thin pool`, `look at lvs --all ${this.#parts.group}; name a thin pool as "group/pool"`);
    const thins = listed.filter(({ inPool }) => inPool === this.#parts.volume);
    if (thins.length > 0) throw this.#refused(`${fullName} holds thin volumes of LVM: ${thins.map(({ name }) => name).join(", ")}`, OWN_POOL);
    const { transactionId, zeroes } = found.report;
    if (transactionId !== 0)
      throw this.#refused(`LVM has made thin volumes in ${fullName}: its transaction id there is ${transactionId}, and has to be 0`, OWN_POOL);
    if (this.#parts.description.zeroNewBlocks && !zeroes)
      throw this.#refused(
        `${fullName} ${NOT_ZEROED}`,
        `lvchange --zero y ${fullName} while it is not active; or zeroNewBlocks: false, if all its volumes are of one owner`,
      );
    return { ...found, listed };
  }

  /** The group's disks, and no others, whatever a tenant has written that looks like one of them. */
  async #onItsDisks(): Promise<Lvm> {
    const { dm, group } = this.#parts;
    const labelled = await labelledDisks(dm);
    if (labelled.length === 0) throw this.#notReady(`no disk has a label of LVM, so volume group ${group} is not there`);
    const members = (await this.#on(labelled.map(({ path }) => path)).physicalVolumes()).filter((volume) => volume.group === group);
    if (members.length === 0) throw this.#notReady(`volume group ${group} is on none of ${labelled.map(({ path }) => path).join(", ")}`);
    this.#requireWhole(members, labelled);
    return this.#on(members.map(({ device }) => device));
  }

  #requireWhole(members: readonly PhysicalVolume[], labelled: readonly LabelledDisk[]): void {
    for (const { uuid, missing } of members) {
      if (missing) throw this.#notReady(`volume group ${this.#parts.group} lacks the disk with the uuid ${uuid}`);
      const disks = labelled.filter(({ volumeUuid }) => volumeUuid === uuid.replaceAll("-", "")).map(({ path }) => path);
      if (disks.length > 1)
        throw this.#refused(`${disks.join(" and ")} have the same label of LVM: one is a copy`, "detach the copy, or give it another label (vgimportclone)");
    }
  }

  /** The group is its administrator's, who may have added a disk meanwhile, or other volumes. */
  async #room(): Promise<Readonly<Record<Part, GroupRoom>>> {
    this.#lvm = await this.#onItsDisks();
    const group = (await this.#lvm.volumeGroups()).find(({ name }) => name === this.#parts.group);
    if (group === undefined) throw this.#notReady(`volume group ${this.#parts.group} is gone`);
    const room = { extentBytes: group.extentBytes, freeExtents: group.freeExtents, on: [] };
    return { data: room, metadata: room };
  }

  #shown(): Lvm {
    if (this.#lvm === undefined) throw new Error("LVM was asked before its disks were known");
    return this.#lvm;
  }

  #on(devices: readonly string[]): Lvm {
    const { run, lvmLock } = this.#parts;
    return new Lvm({ run, devices, lock: lvmLock });
  }

  #refused(reason: string, remedy: string): DmthinError {
    return new DmthinError({ code: "pool-refused", pool: this.#parts.description.name, reason, remedy });
  }

  /** May pass by itself, such as a disk that comes up late. */
  #notReady(reason: string): DmthinError {
    return new DmthinError({ code: "pool-not-ready", pool: this.#parts.description.name, reason });
  }
}

const OWN_POOL = "make a pool of its own for dmthin, and no thin volumes in it: lvcreate --type thin-pool";
