import { lvmLeftAtWork, type LeftAtWork, type Lvm } from "../../lvm/lvm.ts";
import type { LogicalVolume } from "../../lvm/reports.ts";
import type { BackingDevices, PoolBacking, PoolDisks } from "./backing.ts";
import { closeCatalogVolume, disksFor, isCatalogLost, layoutOf, openCatalogVolume } from "./catalog-volume.ts";
import { disksOf, lvmOn } from "./direct-lvm-disks.ts";
import { addDisks, openGroup, recount, step, type OwnGroup } from "./direct-lvm-group.ts";
import { DMTHIN_TAG } from "./direct-lvm-mark.ts";
import { METADATA, POOL, type DirectLvmParts } from "./direct-lvm-parts.ts";
import { wipeGroup } from "./direct-lvm-wipe.ts";
import type { Part } from "./growth.ts";
import { LvmGrowth, type GroupRoom } from "./lvm-growth.ts";
import { EXTENT_BYTES, describeLayout } from "./lvm-layout.ts";
import { LvmPool } from "./lvm-pool.ts";

/**
 * Whole disks in a volume group of our own: catalogue, metadata, spare and data. Each step of making it leaves something
 * that tells that it was done, so that the next start goes on from there. Nothing is deactivated when the driver stops.
 */
export class DirectLvm implements PoolBacking {
  readonly #parts: DirectLvmParts;
  readonly #pool: LvmPool;
  readonly growth: LvmGrowth;
  #own: OwnGroup | undefined;
  #lvm: Lvm | undefined;
  #disks: PoolDisks | undefined;
  /** What LVM said of the group as the catalogue was opened: attaching comes next, and need not ask again unless something was changed. */
  #listed: readonly LogicalVolume[] | undefined;

  constructor(parts: DirectLvmParts) {
    this.#parts = parts;
    const { description, backing, dm, logger } = parts;
    const { name: pool, autoextend } = description;
    this.#pool = new LvmPool({ pool, group: backing.volumeGroup, name: POOL, autoextend, dm, logger }, () => this.#shown());
    const remedy = "add a disk: dmthin pool extend --add-device; in a cluster name it in its ThinPool";
    this.growth = new LvmGrowth({ pool, group: backing.volumeGroup, look: async () => this.#room(), remedy }, this.#pool);
  }

  leftAtWork(): LeftAtWork | undefined {
    return lvmLeftAtWork();
  }

  get disks(): PoolDisks | undefined {
    return this.#disks;
  }

  get lvmDevices(): readonly string[] {
    return this.#pool.kernelNames;
  }

  async openCatalogFolder({ remake }: { readonly remake: boolean } = { remake: false }): Promise<string> {
    const own = await this.#open();
    const { folder, listed } = await openCatalogVolume(this.#parts, this.#shown(), own, remake);
    this.#listed = listed;
    return folder;
  }

  async hasCatalogFolder(): Promise<boolean> {
    const own = await this.#open();
    return !(await isCatalogLost(this.#shown(), own));
  }

  async closeCatalogFolder(): Promise<void> {
    await closeCatalogVolume(this.#parts);
  }

  async provision(): Promise<void> {
    const { observe, description, logger } = this.#parts;
    const own = this.#own ?? (await this.#open());
    this.#listed = undefined;
    const lvm = this.#shown();
    const group = own.group.name;
    if ((await this.#pool.find()) === undefined) {
      const layout = layoutOf(this.#parts, own);
      logger.info("sharing out the pool's volume group", { group, layout: describeLayout(layout) });
      const names = new Set((await lvm.logicalVolumes(group)).map(({ name }) => name));
      if (!names.has(METADATA)) {
        const metadata = { name: METADATA, extents: layout.metadata, on: disksFor(own, "metadata"), wipe: true };
        await step(observe, "lvcreate-metadata", () => lvm.createVolume(group, metadata));
      }
      if (!names.has(POOL)) {
        const data = { name: POOL, extents: layout.data, on: disksFor(own, "data"), wipe: false };
        await step(observe, "lvcreate-data", () => lvm.createVolume(group, data));
      }
      await lvm.writeProfile(this.#pool.profile, description.autoextend);
      const spareOn = disksFor(own, "metadata");
      const pool = { data: POOL, metadata: METADATA, spareOn, chunkSize: description.chunkSize, zero: description.zeroNewBlocks };
      await step(observe, "lvconvert", () => lvm.convertToPool(group, pool));
    }
    await step(observe, "tag", () => lvm.changeVolume(this.#pool.fullName, { add: [DMTHIN_TAG], profile: this.#pool.profile }));
  }

  async attach(): Promise<BackingDevices> {
    if (this.#own === undefined) await this.#open();
    const listed = this.#listed;
    this.#listed = undefined;
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
    if (this.#own === undefined) await this.#open();
    this.#listed = undefined;
    await this.#pool.deactivate();
  }

  async activatePool(): Promise<BackingDevices> {
    return step(this.#parts.observe, "activate", () => this.#pool.activate());
  }

  async addDevices(paths: readonly string[]): Promise<void> {
    this.#listed = undefined;
    await addDisks(this.#parts, this.#own ?? (await this.#open()), paths);
    await this.#open();
  }

  async disksToWipe(): Promise<readonly string[]> {
    return disksOf(this.#parts);
  }

  async wipe(): Promise<void> {
    await this.closeCatalogFolder();
    await wipeGroup(this.#parts);
    this.#listed = undefined;
    this.#own = undefined;
  }

  /** What is free now. Not kept: disks may be added meanwhile. */
  async #room(): Promise<Readonly<Record<Part, GroupRoom>>> {
    const own = await recount(this.#own ?? (await this.#open()), this.#shown());
    return { data: roomFor(own, "data"), metadata: roomFor(own, "metadata") };
  }

  async #open(): Promise<OwnGroup> {
    this.#own = await openGroup(this.#parts, (disks) => (this.#disks = disks));
    this.#lvm = lvmOn(this.#parts, this.#own.disks);
    return this.#own;
  }

  #shown(): Lvm {
    if (this.#lvm === undefined) throw new Error("the volume group was not looked for yet");
    return this.#lvm;
  }
}

function roomFor(own: OwnGroup, part: Part): GroupRoom {
  const on = disksFor(own, part);
  const freeExtents = own.disks.reduce((sum, { volume }) => sum + (volume !== undefined && on.includes(volume.device) ? volume.freeExtents : 0), 0);
  return { extentBytes: EXTENT_BYTES, freeExtents, on: own.disks.some(({ isForMetadata }) => isForMetadata) ? on : [] };
}
