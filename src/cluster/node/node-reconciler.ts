import type { ThinRecord } from "../../catalog/records.ts";
import { DmthinError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Pool } from "../../pool/pool.ts";
import type { Volumes } from "../../volumes/volumes.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import { poolHealth } from "./conditions.ts";
import type { Carrier } from "./carrier.ts";
import { carryGroups } from "./groups.ts";
import type { Store } from "../api/store.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { Reconciler, type Recorder } from "./reconciler.ts";
import { carrySnapshots } from "./snapshots.ts";
import { carryVolumes } from "./volumes.ts";
import { WorkQueue, type WorkQueueOptions } from "./work-queue.ts";

export interface NodeReconcilerOptions {
  /** This node's name: objects of others are not touched. */
  readonly node: string;
  /** They may come and go: `look` says when. */
  readonly pools: Iterable<Pool>;
  readonly local: { within(pool: Pool): Volumes };
  /** Of this node alone: watched with the field selector `spec.nodeName`. */
  readonly volumes: Store<ThinVolume>;
  readonly snapshots: Store<ThinSnapshot>;
  readonly groups: Store<ThinSnapshotGroup>;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly queue?: WorkQueueOptions;
  /** From one look at the pools' views, which are in memory, to the next. Default: 1,000. */
  readonly lookMs?: number;
}

const LOOK_MS = 1_000;

/** One kind of objects, whose names are keys of the queue. */
interface CarriedKind {
  readonly pass: (name: string, attempt: number) => Promise<"settled" | "again">;
  readonly items: () => ReadonlyMap<string, PlacedObject>;
  readonly end: () => void;
}

/**
 * Carries out this node's ThinVolumes, ThinSnapshots and ThinSnapshotGroups: what the cluster asks for is in their specs,
 * what is here in their status. Begins at once with what the caches have, and follows their changes.
 */
export class NodeReconciler {
  readonly #options: NodeReconcilerOptions;
  readonly #ending = new AbortController();
  readonly #queue: WorkQueue;
  readonly #kinds: ReadonlyMap<string, CarriedKind>;
  readonly #clock: NodeJS.Timeout;
  /** As each pool was when it was last looked at. */
  #poolsThen: ReadonlyMap<string, string> = new Map();

  constructor(options: NodeReconcilerOptions) {
    this.#options = options;
    const { volumes, snapshots, groups, logger } = options;
    const onError = (key: string, error: unknown): void => {
      if (!this.#ending.signal.aborted) logger.warn("an object could not be carried out, and is tried again", { object: key, error });
    };
    // A pool that hangs in the kernel holds up its own objects, and no other's.
    const queue = { laneOf: (key: string) => this.#poolOf(key), ...options.queue };
    this.#queue = new WorkQueue(async (key, attempt) => this.#pass(key, attempt), onError, queue);
    this.#kinds = new Map([this.#kind(carryVolumes, volumes), this.#kind(carrySnapshots, snapshots), this.#kind(carryGroups, groups)]);
    this.#poolsThen = this.#lookAtPools();
    this.#clock = setInterval(() => this.look(), options.lookMs ?? LOOK_MS).unref();
    for (const [kind, { items }] of this.#kinds) for (const name of items().keys()) this.#queue.add(`${kind}/${name}`);
  }

  /** Objects that are being looked at, or wait for their turn; not those that are put off. */
  get busy(): number {
    return this.#queue.busy;
  }

  /** Looks at the pools, in memory, and then at the objects of those that have come, gone or changed, and at what is free to be deleted now. */
  look(): void {
    for (const name of [...this.#freed(), ...this.#found()]) this.#queue.add(`${carryVolumes.kind}/${name}`);
    const before = this.#poolsThen;
    this.#poolsThen = this.#lookAtPools();
    const changed = new Set([...before.keys(), ...this.#poolsThen.keys()].filter((name) => before.get(name) !== this.#poolsThen.get(name)));
    if (changed.size === 0) return;
    for (const [kind, { items }] of this.#kinds) for (const [name, { spec }] of items()) if (changed.has(spec.poolName)) this.#queue.add(`${kind}/${name}`);
  }

  /** Resolves when what is being carried out has ended, or was given up: the next start finds it. */
  async close(): Promise<void> {
    clearInterval(this.#clock);
    for (const { end } of this.#kinds.values()) end();
    this.#ending.abort(new DmthinError({ code: "shutting-down" }));
    await this.#queue.close();
  }

  #kind<Item extends PlacedObject>(carrier: Carrier<Item>, store: Store<Item>): readonly [string, CarriedKind] {
    const { node, pools, local, recorder, logger } = this.#options;
    const reconciler = new Reconciler(carrier, store, { node, pools, volumes: local, recorder, logger, signal: this.#ending.signal });
    const end = store.cache.onChange((name) => this.#queue.add(`${carrier.kind}/${name}`));
    return [carrier.kind, { pass: async (name, attempt) => reconciler.pass(name, attempt), items: () => store.cache.items, end }];
  }

  /** Volumes whose deletion was refused because they were in use, and are no more: nothing else tells of that. */
  #freed(): readonly string[] {
    return this.#volumes((item) => isTerminating(item) && item.status.failure?.code === "volume-staged")
      .filter((item) => {
        const record = this.#recordOf(item);
        return record?.kind === "volume" && record.staging === undefined && record.publications.length === 0;
      })
      .map(({ metadata }) => metadata.name);
  }

  /** Volumes that were told as lost, and are there again: somebody has adopted their thin device, which nothing else tells of either. */
  #found(): readonly string[] {
    return this.#volumes(({ status }) => status.conditions.some(({ type, reason }) => type === "Lost" && reason === "Absent"))
      .filter((item) => this.#recordOf(item)?.state === "ready")
      .map(({ metadata }) => metadata.name);
  }

  #volumes(are: (item: ThinVolume) => boolean): readonly ThinVolume[] {
    return Array.from(this.#options.volumes.cache.items.values()).filter(are);
  }

  #recordOf({ metadata, spec }: ThinVolume): ThinRecord | undefined {
    const pool = Array.from(this.#options.pools).find(({ description }) => description.name === spec.poolName);
    return pool?.view.thins.get(metadata.name);
  }

  #poolOf(key: string): string {
    const [kind = "", name = ""] = key.split("/");
    return this.#kinds.get(kind)?.items().get(name)?.spec.poolName ?? "";
  }

  async #pass(key: string, attempt: number): Promise<"settled" | "again"> {
    const [kind = "", name = ""] = key.split("/");
    return this.#kinds.get(kind)?.pass(name, attempt) ?? "settled";
  }

  /** What an object's status or the next decision about it depends on. */
  #lookAtPools(): ReadonlyMap<string, string> {
    const { pools } = this.#options;
    return new Map(
      Array.from(pools, (pool) => {
        const { status, poolUuid, unanswered, inventory } = pool.view;
        const damaged = inventory?.discrepancies.map(({ id, reason }) => [id, reason]);
        return [pool.description.name, JSON.stringify([status, poolUuid, unanswered, damaged, poolHealth(pool)])];
      }),
    );
  }
}
