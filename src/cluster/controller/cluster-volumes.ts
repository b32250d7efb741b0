import type { MutableParameters } from "../../catalog/records.ts";
import { requireTime } from "../../volumes/operations.ts";
import type { Call, Capacity, Group, GroupWanted, Page, PageRequest, SizeRange, Snapshot, Volume, Volumes, VolumeWanted } from "../../volumes/volumes.ts";
import { toVolume } from "./answers.ts";
import { capacityOf, type CapacityWanted } from "./capacity.ts";
import { expandVolume, modifyVolume } from "./change-volume.ts";
import { createVolume } from "./create-volume.ts";
import { requireVolume } from "./find.ts";
import { createGroup, deleteGroup, getGroup } from "./groups.ts";
import { listSnapshots, listVolumes, type SnapshotFilter } from "./lists.ts";
import type { ControllerParts } from "./parts.ts";
import { remove } from "./removal.ts";
import { createSnapshot, deleteSnapshot, getSnapshot, type SnapshotWanted } from "./snapshots.ts";

/**
 * The volumes of a cluster: each call becomes what objects ask of a node, and waits for what the node says of it. Nothing is
 * remembered here that the objects do not say, so that any controller can take over from any other at any moment.
 */
export class ClusterVolumes implements Volumes {
  readonly #parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  async create(wanted: VolumeWanted, call: Call): Promise<Volume> {
    return createVolume(await this.#ready(call), wanted, call);
  }

  async delete(id: string, call: Call): Promise<void> {
    const parts = await this.#ready(call);
    return remove(parts, parts.volumes, "volume", id, call);
  }

  async get(id: string, call: Call): Promise<Volume> {
    const parts = await this.#ready(call);
    return toVolume(parts, await requireVolume(parts, id, call));
  }

  async list(page: PageRequest, call: Call): Promise<Page<Volume>> {
    return listVolumes(await this.#ready(call), page);
  }

  async expand(id: string, size: SizeRange, call: Call): Promise<Volume> {
    return expandVolume(await this.#ready(call), id, size, call);
  }

  async modify(id: string, change: Partial<MutableParameters>, call: Call): Promise<void> {
    return modifyVolume(await this.#ready(call), id, change, call);
  }

  async capacity(wanted: CapacityWanted, call: Call): Promise<Capacity> {
    return capacityOf(await this.#ready(call), wanted);
  }

  async createSnapshot(wanted: SnapshotWanted, call: Call): Promise<Snapshot> {
    return createSnapshot(await this.#ready(call), wanted, call);
  }

  async deleteSnapshot(id: string, call: Call): Promise<void> {
    return deleteSnapshot(await this.#ready(call), id, call);
  }

  async getSnapshot(id: string, call: Call): Promise<Snapshot> {
    return getSnapshot(await this.#ready(call), id, call);
  }

  async listSnapshots(filter: SnapshotFilter, page: PageRequest, call: Call): Promise<Page<Snapshot>> {
    return listSnapshots(await this.#ready(call), filter, page);
  }

  async createGroup(wanted: GroupWanted, call: Call): Promise<Group> {
    return createGroup(await this.#ready(call), wanted, call);
  }

  async deleteGroup(id: string, snapshotIds: readonly string[], call: Call): Promise<void> {
    return deleteGroup(await this.#ready(call), id, snapshotIds, call);
  }

  async getGroup(id: string, snapshotIds: readonly string[], call: Call): Promise<Group> {
    return getGroup(await this.#ready(call), id, snapshotIds, call);
  }

  /** What is not in memory yet proves nothing: before the first lists are in, every call waits. */
  async #ready(call: Call): Promise<ControllerParts> {
    await this.#parts.synced(call);
    requireTime(call, "a call to the controller");
    return this.#parts;
  }
}
