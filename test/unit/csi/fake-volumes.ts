import { mkdir, rm, writeFile } from "node:fs/promises";
import type { SnapshotRecord, VolumeRecord } from "../../../src/catalog/records.ts";
import { DmthinError, type ObjectKind } from "../../../src/errors.ts";
import { bytes, GiB, roundUp, type Bytes } from "../../../src/units.ts";
import { groupId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import type { Call, Condition, Group, NodeVolumes, Page, PageRequest, Snapshot, Volume, VolumeWanted, Volumes } from "../../../src/volumes/volumes.ts";

const CHUNK = bytes(65536);
const MAXIMUM = bytes(100 * GiB);
export const NODE = "node-1";
const missing = (kind: ObjectKind, id: string) => new DmthinError({ code: "not-found", kind, id });
const differs = (kind: ObjectKind, id: string, difference: string) => new DmthinError({ code: "already-exists", kind, id, difference });

/** Volumes in memory, as strict about names and ids as the real ones: what the services are tested over. */
export class FakeVolumes implements Volumes, NodeVolumes {
  readonly node = NODE;
  readonly volumes = new Map<string, VolumeRecord>();
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly groups = new Map<string, Group>();
  condition: Condition = { abnormal: false, message: "the pool is well" };
  /** What the next calls meet on their way, to see what the caller is told of it. */
  obstacle: (call: Call) => Promise<void> = async () => undefined;
  #number = 0;

  health = (): Condition => this.condition;

  async create(wanted: VolumeWanted, call: Call): Promise<Volume> {
    await this.obstacle(call);
    const id = volumeId(wanted.name);
    const source = this.#source(wanted);
    const { requiredBytes: required, limitBytes: limit } = wanted.size;
    if (required > BigInt(MAXIMUM)) throw new DmthinError({ code: "out-of-range", what: `${required} bytes`, reason: "larger than the pool" });
    const sizeBytes = roundUp(bytes(Math.max(Number(required), source?.sizeBytes ?? 0, CHUNK)), CHUNK);
    if (limit !== undefined && BigInt(sizeBytes) > limit) throw new DmthinError({ code: "out-of-range", what: `${limit} bytes`, reason: "below the minimum" });
    const there = this.volumes.get(id);
    if (there !== undefined) {
      if (there.sizeBytes !== sizeBytes) throw differs("volume", id, "its size");
      if (JSON.stringify(there.origin) !== JSON.stringify(wanted.origin)) throw differs("volume", id, "its source");
      return this.#volume(there);
    }
    const isBlock = wanted.capabilities.every(({ access }) => access === "block");
    const type = isBlock ? undefined : (wanted.parameters.filesystem ?? "ext4");
    const { name, origin, capabilities, parameters } = wanted;
    this.volumes.set(id, {
      ...this.#thin(id, name, sizeBytes, type),
      kind: "volume",
      origin,
      capabilities,
      mkfsOptions: parameters.mkfsOptions,
      parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto", ...parameters.mutable },
      renewIdentity: false,
      growFilesystem: false,
      staging: undefined,
      publications: [],
    });
    return this.get(id);
  }

  async delete(id: string, call: Call): Promise<void> {
    await this.obstacle(call);
    const volume = this.volumes.get(id);
    if (volume?.staging !== undefined) throw new DmthinError({ code: "volume-staged", id, path: volume.staging.path });
    this.volumes.delete(id);
  }

  async get(id: string): Promise<Volume> {
    const record = this.volumes.get(id);
    if (record === undefined) throw missing("volume", id);
    return this.#volume(record);
  }

  list = async (page: PageRequest): Promise<Page<Volume>> =>
    paginate(
      [...this.volumes.values()].map((record) => this.#volume(record)),
      page,
    );

  async expand(id: string, { requiredBytes }: { readonly requiredBytes: bigint }, call: Call): Promise<Volume> {
    await this.obstacle(call);
    const { record } = await this.get(id);
    if (requiredBytes > BigInt(MAXIMUM)) throw new DmthinError({ code: "out-of-range", what: `${requiredBytes} bytes`, reason: "larger than the pool" });
    this.volumes.set(id, { ...record, sizeBytes: roundUp(bytes(Math.max(Number(requiredBytes), record.sizeBytes)), CHUNK) });
    return this.get(id);
  }

  async modify(id: string, change: Partial<VolumeRecord["parameters"]>): Promise<void> {
    const { record } = await this.get(id);
    this.volumes.set(id, { ...record, parameters: { ...record.parameters, ...change } });
  }

  capacity = async ({ pool, node }: { readonly pool: string | undefined; readonly node: string | undefined }) => {
    if (pool !== undefined && pool !== "fast") throw missing("pool", pool);
    return { availableBytes: node === undefined || node === NODE ? MAXIMUM : bytes(0), minimumVolumeBytes: CHUNK, maximumVolumeBytes: MAXIMUM };
  };

  async createSnapshot({ name, sourceVolumeId }: { readonly name: string; readonly sourceVolumeId: string }, call: Call): Promise<Snapshot> {
    await this.obstacle(call);
    return this.#snap(name, sourceVolumeId, undefined);
  }

  deleteSnapshot = async (id: string): Promise<void> => void this.snapshots.delete(id);

  async getSnapshot(id: string): Promise<Snapshot> {
    const record = this.snapshots.get(id);
    if (record === undefined) throw missing("snapshot", id);
    return { record, pool: "fast", node: NODE };
  }

  async listSnapshots(
    filter: { readonly snapshotId: string | undefined; readonly sourceVolumeId: string | undefined },
    page: PageRequest,
  ): Promise<Page<Snapshot>> {
    const { snapshotId: id, sourceVolumeId: source } = filter;
    const found = [...this.snapshots.values()].filter(
      (record) => (id ?? record.id) === record.id && (source ?? record.sourceVolumeId) === record.sourceVolumeId,
    );
    return paginate(
      found.map((record) => ({ record, pool: "fast", node: NODE })),
      page,
    );
  }

  async createGroup({ name, sourceVolumeIds }: { readonly name: string; readonly sourceVolumeIds: readonly string[] }): Promise<Group> {
    const id = groupId(name);
    const snapshots = await Promise.all(sourceVolumeIds.map(async (source) => this.#snap(memberName(name, source), source, id)));
    const record = { id, name, createdAt: new Date(), snapshotIds: snapshots.map(({ record: { id: member } }) => member), sourceVolumeIds };
    this.groups.set(id, this.groups.get(id) ?? { record, snapshots });
    return this.getGroup(id, record.snapshotIds);
  }

  async deleteGroup(id: string, snapshotIds: readonly string[]): Promise<void> {
    if (!this.groups.has(id)) return;
    await this.getGroup(id, snapshotIds);
    this.groups.delete(id);
    for (const member of snapshotIds) this.snapshots.delete(member);
  }

  async getGroup(id: string, snapshotIds: readonly string[]): Promise<Group> {
    const group = this.groups.get(id);
    if (group === undefined) throw missing("group snapshot", id);
    if ([...snapshotIds].toSorted().join() !== [...group.record.snapshotIds].toSorted().join()) {
      throw new DmthinError({ code: "invalid-argument", problems: ["snapshot_ids are not the group's"] });
    }
    return group;
  }

  async stage(wanted: { readonly id: string; readonly path: string; readonly capability: VolumeRecord["capabilities"][number] }, call: Call): Promise<void> {
    await this.obstacle(call);
    const { record } = await this.get(wanted.id);
    const { path, capability } = wanted;
    if (record.staging !== undefined && JSON.stringify(record.staging) !== JSON.stringify({ path, capability })) {
      throw new DmthinError({ code: "use-conflict", id: wanted.id, path, difference: "its capability" });
    }
    this.volumes.set(wanted.id, { ...record, staging: { path, capability } });
  }

  async unstage(id: string): Promise<void> {
    const { record } = await this.get(id);
    this.volumes.set(id, { ...record, staging: undefined });
  }

  async publish(wanted: Parameters<NodeVolumes["publish"]>[0]): Promise<void> {
    const { record } = await this.get(wanted.id);
    const { id, path, readOnly, capability } = wanted;
    if (record.staging?.path !== wanted.stagingPath) throw new DmthinError({ code: "not-staged", id, path: wanted.stagingPath });
    const [other] = record.publications.filter((publication) => publication.path !== path);
    if (other !== undefined && capability.mode === "SINGLE_NODE_SINGLE_WRITER") throw new DmthinError({ code: "published-elsewhere", id, path: other.path });
    const publication = { path, readOnly, capability };
    const there = record.publications.find((one) => one.path === path);
    if (there !== undefined && JSON.stringify(there) !== JSON.stringify(publication)) {
      throw new DmthinError({ code: "use-conflict", id, path, difference: "read-only" });
    }
    if (there !== undefined) return;
    await (capability.access === "block" ? writeFile(path, "") : mkdir(path, { recursive: true }));
    this.volumes.set(id, { ...record, publications: [...record.publications, publication] });
  }

  async unpublish(id: string, path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
    const { record } = await this.get(id);
    this.volumes.set(id, { ...record, publications: record.publications.filter((publication) => publication.path !== path) });
  }

  async stats(id: string, path: string) {
    const { record } = await this.#at(id, path);
    const usage = {
      totalBytes: record.sizeBytes,
      usedBytes: CHUNK,
      availableBytes: bytes(record.sizeBytes - CHUNK),
      totalInodes: 100,
      usedInodes: 11,
      freeInodes: 89,
    };
    return { usage: record.filesystem.type === undefined ? undefined : usage, sizeBytes: record.sizeBytes, condition: this.condition };
  }

  expandFilesystem = async (id: string, path: string): Promise<Bytes> => (await this.#at(id, path)).record.sizeBytes;

  async #at(id: string, path: string): Promise<Volume> {
    const volume = await this.get(id);
    const { staging, publications } = volume.record;
    if (staging?.path !== path && !publications.some((publication) => publication.path === path)) throw missing("volume", `${id} at ${path}`);
    return volume;
  }

  #snap(name: string, sourceVolumeId: string, group: string | undefined): Snapshot {
    const id = snapshotId(name);
    const there = this.snapshots.get(id);
    if (there !== undefined && there.sourceVolumeId !== sourceVolumeId) throw differs("snapshot", id, "its source");
    const source = this.volumes.get(sourceVolumeId);
    if (source === undefined) throw missing("volume", sourceVolumeId);
    const record: SnapshotRecord = there ?? {
      ...this.#thin(id, name, source.sizeBytes, source.filesystem.type),
      kind: "snapshot",
      sourceVolumeId,
      groupId: group,
    };
    this.snapshots.set(id, record);
    return { record, pool: "fast", node: NODE };
  }

  #thin(id: string, name: string, sizeBytes: Bytes, type: VolumeRecord["filesystem"]["type"]) {
    this.#number += 1;
    const filesystem = { type, state: "none" as const };
    return { id, name, number: this.#number, sizeBytes, createdAt: new Date(), transactionId: this.#number, state: "ready" as const, filesystem };
  }

  #source({ origin }: VolumeWanted): VolumeRecord | SnapshotRecord | undefined {
    if (origin.kind === "blank") return undefined;
    const found = origin.kind === "volume" ? this.volumes.get(origin.id) : this.snapshots.get(origin.id);
    if (found === undefined) throw missing(origin.kind, origin.id);
    return found;
  }

  readonly #volume = (record: VolumeRecord): Volume => ({ record, pool: "fast", node: NODE, condition: this.condition });
}

/** Tokens are ids: the page begins after. */
function paginate<Item extends { readonly record: { readonly id: string } }>(items: readonly Item[], { maxEntries, startingToken }: PageRequest): Page<Item> {
  const sorted = items.toSorted((left, right) => (left.record.id < right.record.id ? -1 : 1));
  if (startingToken !== "" && !/^(vol|snap)-/.test(startingToken)) throw new DmthinError({ code: "bad-page-token", token: startingToken });
  const rest = sorted.filter(({ record }) => record.id > startingToken);
  const page = maxEntries === 0 ? rest : rest.slice(0, maxEntries);
  return { items: page, nextToken: page.length < rest.length ? (page.at(-1)?.record.id ?? "") : "" };
}
