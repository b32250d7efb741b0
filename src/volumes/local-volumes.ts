import type { MutableParameters } from "../catalog/records.ts";
import type { Filesystems, FilesystemType } from "../filesystem/filesystems.ts";
import { canonicalTarget } from "../filesystem/targets.ts";
import type { Logger } from "../logger.ts";
import type { ExtendTarget, Extension } from "../pool/care/care-report.ts";
import type { Part } from "../pool/backings/growth.ts";
import type { Pool } from "../pool/pool.ts";
import { DmthinError, isError } from "../errors.ts";
import { bytes, type Bytes } from "../units.ts";
import { toSnapshot, toVolume } from "./answers.ts";
import { Capacities } from "./capacity.ts";
import { deleteVolume, expandVolume, modifyVolume } from "./change-volume.ts";
import { nodeCondition } from "./condition.ts";
import { createVolume } from "./create-volume.ts";
import { createGroup, deleteGroup, getGroup } from "./groups.ts";
import { Operations } from "./operations.ts";
import { pageOf } from "./pages.ts";
import { adoptOrphan, deleteOrphan, listOrphans } from "./orphans.ts";
import type { Parts } from "./parts.ts";
import { PoolSet } from "./pool-set.ts";
import { publish, unpublish } from "./publishing.ts";
import { minimumVolumeBytes } from "./sizes.ts";
import { createSnapshot, deleteSnapshot, listSnapshots } from "./snapshots.ts";
import { stage, unstage } from "./staging.ts";
import type { AdoptionWanted, OrphanSeen, PoolUpkeep } from "./upkeep.ts";
import { expandFilesystem, volumeStats } from "./volume-use.ts";
import type {
  Call,
  Capacity,
  Condition,
  Group,
  GroupWanted,
  NodeVolumes,
  Page,
  PageRequest,
  PublishWanted,
  SizeRange,
  Snapshot,
  StageWanted,
  Volume,
  Volumes,
  VolumeStats,
  VolumeWanted,
} from "./volumes.ts";

export interface LocalVolumesOptions {
  /** They may come and go. */
  readonly pools: Iterable<Pool>;
  /** Why it is not known yet which pools there are: until it is, nothing is certainly absent. Default: it is known. */
  readonly unknownPools?: (() => DmthinError | undefined) | undefined;
  /** The uuids by which a pool of that name is on record elsewhere as this machine's: one that is was made. Default: it is on record nowhere. */
  readonly recordedUuids?: ((pool: string) => readonly string[]) | undefined;
  readonly filesystems: Filesystems;
  readonly node: string;
  readonly logger: Logger;
}

/** The volumes of this node's own pools. Questions are answered from the pools' views; only changes ask their actors. */
export class LocalVolumes implements Volumes, NodeVolumes, PoolUpkeep {
  readonly node: string;
  readonly #parts: Parts;

  constructor(
    options: LocalVolumesOptions,
    shared: Pick<Parts, "operations" | "capacities"> = { operations: new Operations(options.logger), capacities: new Capacities() },
  ) {
    const { pools, unknownPools: unknown, recordedUuids, filesystems, node, logger } = options;
    const { operations, capacities } = shared;
    this.node = node;
    this.#parts = { node, pools: new PoolSet(pools, { unknown, recordedUuids }), filesystems, operations, capacities, logger };
  }

  async create(wanted: VolumeWanted, call: Call): Promise<Volume> {
    return createVolume(this.#parts, wanted, call);
  }

  async delete(id: string, call: Call): Promise<void> {
    return deleteVolume(this.#parts, id, call);
  }

  async get(id: string): Promise<Volume> {
    return toVolume(this.node, this.#parts.pools.volume(id));
  }

  async list(page: PageRequest): Promise<Page<Volume>> {
    this.#parts.pools.requireComplete();
    const volumes = this.#parts.pools.all.flatMap((pool) =>
      [...pool.view.thins.values()].filter((record) => record.kind === "volume").map((record) => ({ pool, record })),
    );
    const ready = volumes.filter(({ record }) => record.state === "ready");
    const { items, nextToken } = pageOf("volumes", ready, ({ record }) => record, page);
    return { items: items.map((found) => toVolume(this.node, found)), nextToken };
  }

  async expand(id: string, size: SizeRange, call: Call): Promise<Volume> {
    return expandVolume(this.#parts, id, size, call);
  }

  async modify(id: string, change: Partial<MutableParameters>, call: Call): Promise<void> {
    return modifyVolume(this.#parts, id, change, call);
  }

  async capacity(wanted: {
    readonly pool: string | undefined;
    readonly node: string | undefined;
    readonly filesystem: FilesystemType | undefined;
  }): Promise<Capacity> {
    const pool = this.#parts.pools.choose(wanted.pool);
    const isElsewhere = wanted.node !== undefined && wanted.node !== this.node;
    const availableBytes = isElsewhere ? bytes(0) : this.#parts.capacities.available(pool);
    const filesystemMinimum = wanted.filesystem === undefined ? undefined : this.#parts.filesystems.minimumBytes(wanted.filesystem);
    return {
      availableBytes,
      minimumVolumeBytes: minimumVolumeBytes(pool.view.figures?.chunkSize ?? pool.description.chunkSize, filesystemMinimum),
      maximumVolumeBytes: availableBytes,
    };
  }

  async createSnapshot(wanted: { readonly name: string; readonly sourceVolumeId: string }, call: Call): Promise<Snapshot> {
    return createSnapshot(this.#parts, wanted, call);
  }

  async deleteSnapshot(id: string, call: Call): Promise<void> {
    return deleteSnapshot(this.#parts, id, call);
  }

  async getSnapshot(id: string): Promise<Snapshot> {
    return toSnapshot(this.node, this.#parts.pools.snapshot(id));
  }

  async listSnapshots(
    filter: { readonly snapshotId: string | undefined; readonly sourceVolumeId: string | undefined },
    page: PageRequest,
  ): Promise<Page<Snapshot>> {
    return listSnapshots(this.#parts, filter, page);
  }

  async createGroup(wanted: GroupWanted, call: Call): Promise<Group> {
    return createGroup(this.#parts, wanted, call);
  }

  async deleteGroup(id: string, snapshotIds: readonly string[], call: Call): Promise<void> {
    return deleteGroup(this.#parts, id, snapshotIds, call);
  }

  async getGroup(id: string, snapshotIds: readonly string[]): Promise<Group> {
    return getGroup(this.#parts, id, snapshotIds);
  }

  async stage(wanted: StageWanted, call: Call): Promise<void> {
    return stage(this.#parts, { ...wanted, path: await canonicalTarget(wanted.path) }, call);
  }

  async unstage(id: string, path: string, call: Call): Promise<void> {
    return unstage(this.#parts, id, await canonicalTarget(path), call);
  }

  async publish(wanted: PublishWanted, call: Call): Promise<void> {
    const [path, stagingPath] = await Promise.all([canonicalTarget(wanted.path), spelledByKernel(wanted.stagingPath)]);
    return publish(this.#parts, { ...wanted, path, stagingPath }, call);
  }

  async unpublish(id: string, path: string, call: Call): Promise<void> {
    return unpublish(this.#parts, id, await canonicalTarget(path), call);
  }

  async stats(id: string, path: string): Promise<VolumeStats> {
    return volumeStats(this.#parts, id, await spelledByKernel(path));
  }

  async expandFilesystem(id: string, path: string, call: Call): Promise<Bytes> {
    return expandFilesystem(this.#parts, id, await spelledByKernel(path), call);
  }

  async orphans(pool: string): Promise<readonly OrphanSeen[]> {
    return listOrphans(this.#parts.pools.named(pool));
  }

  async adoptOrphan(wanted: AdoptionWanted, call: Call): Promise<Volume> {
    return adoptOrphan(this.#parts, wanted, call);
  }

  async deleteOrphan(wanted: { readonly pool: string; readonly number: number }, call: Call): Promise<"removed" | "waiting"> {
    return deleteOrphan(this.#parts, wanted, call);
  }

  /** Here is no cluster. */
  async makeKnown(): Promise<never> {
    const problem = "a manifest makes a volume known to its cluster, and this driver is of none: it runs as dmthin standalone";
    throw new DmthinError({ code: "invalid-argument", problems: [problem] });
  }

  async addDevices(pool: string, paths: readonly string[]): Promise<void> {
    await this.#parts.pools.named(pool).calls.addDevices(paths);
  }

  async extend(pool: string, part: Part, target: ExtendTarget): Promise<Extension> {
    return this.#parts.pools.named(pool).calls.extend(part, target);
  }

  /**
   * The same of one pool alone, for who has on record which pool has what: then another that does not serve holds up
   * nothing. Locks and reservations are shared with all.
   */
  within(pool: Pool): Volumes {
    return new LocalVolumes({ ...this.#parts, pools: [pool] }, this.#parts);
  }

  health(): Condition {
    return nodeCondition(this.#parts.pools.all);
  }
}

/** For paths that are looked up: one that can be no mount point is left as it is, and found nowhere. */
async function spelledByKernel(path: string): Promise<string> {
  try {
    return await canonicalTarget(path);
  } catch (error) {
    if (isError(error, "path-unusable")) return path;
    throw error;
  }
}
