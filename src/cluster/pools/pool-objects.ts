import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../../logger.ts";
import type { Cache } from "../api/cache.ts";
import type { ObjectsApi } from "../api/objects-api.ts";
import { mergePatch } from "../node/merge-patch.ts";
import { nodeThinPoolName, nodeThinPoolStatus, type NodeThinPool, type NodeThinPoolStatus } from "../objects/node-thin-pool.ts";

/** What changes with each write into a pool: told no more often than this. */
const FIGURES_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

const FIGURES: ReadonlySet<string> = new Set<keyof NodeThinPoolStatus>([
  "data",
  "metadata",
  "promisedBytes",
  "promised",
  "availableBytes",
  "available",
  "extensionHeadroomBytes",
  "volumes",
  "snapshots",
]);

export interface PoolObjectsOptions {
  readonly node: string;
  readonly api: ObjectsApi<NodeThinPool>;
  /** Of this node's alone. */
  readonly cache: Cache<NodeThinPool>;
  readonly logger: Logger;
  /** Milliseconds, of a clock that only goes forwards. */
  readonly now?: () => number;
}

interface Entry {
  wanted: NodeThinPoolStatus | "gone";
  figuresAt: number;
  retryMs: number;
  notBefore: number;
  underWay: Promise<void> | undefined;
}

/** This node's NodeThinPools: made when a pool comes, written when what there is to tell has changed, deleted when it has gone. */
export class PoolObjects {
  readonly #options: PoolObjectsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(options: PoolObjectsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** As the API server last told, or without anything told. */
  statusOf(pool: string): NodeThinPoolStatus {
    return this.object(pool)?.status ?? EMPTY;
  }

  object(pool: string): NodeThinPool | undefined {
    return this.#options.cache.items.get(nodeThinPoolName(pool, this.#options.node));
  }

  /** The pools that have an object of this node's. */
  get told(): readonly string[] {
    return Array.from(this.#options.cache.items.values(), ({ spec }) => spec.poolName);
  }

  /** What the object is to say from now on. Written soon, and again until it has been. */
  tell(pool: string, status: NodeThinPoolStatus): void {
    this.#entry(pool).wanted = status;
    this.#begin(pool);
  }

  withdraw(pool: string): void {
    this.#entry(pool).wanted = "gone";
    this.#begin(pool);
  }

  /** What is being written is waited for. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#entries.values(), async ({ underWay }) => underWay));
  }

  #entry(pool: string): Entry {
    const entry = this.#entries.get(pool) ?? { wanted: EMPTY, figuresAt: -Infinity, retryMs: FIRST_RETRY_MS, notBefore: -Infinity, underWay: undefined };
    this.#entries.set(pool, entry);
    return entry;
  }

  #begin(pool: string): void {
    const entry = this.#entry(pool);
    if (!this.#options.cache.isSynced || this.#now() < entry.notBefore) return;
    entry.underWay ??= this.#write(pool, entry).finally(() => (entry.underWay = undefined));
  }

  async #write(pool: string, entry: Entry): Promise<void> {
    try {
      if (entry.wanted === "gone") await this.#delete(pool);
      else await this.#update(pool, entry, entry.wanted);
      entry.retryMs = FIRST_RETRY_MS;
    } catch (error) {
      entry.notBefore = this.#now() + entry.retryMs;
      entry.retryMs = Math.min(entry.retryMs * 2, LONGEST_RETRY_MS);
      this.#options.logger.warn("the pool's NodeThinPool could not be written, and is tried again", { pool, error });
    }
  }

  async #delete(pool: string): Promise<void> {
    const found = this.object(pool);
    if (found === undefined) {
      this.#entries.delete(pool);
      return;
    }
    await this.#options.api.delete(found.metadata.name, { uid: found.metadata.uid });
  }

  async #update(pool: string, entry: Entry, wanted: NodeThinPoolStatus): Promise<void> {
    const { api, cache, node } = this.#options;
    const name = nodeThinPoolName(pool, node);
    let object = this.object(pool);
    if (object === undefined) {
      object = await api.create({ metadata: { name }, spec: { poolName: pool, nodeName: node } });
      cache.note(object);
    }
    if (!this.#isDue(object.status, wanted, entry)) return;
    const patch = mergePatch(object.status, wanted);
    if (patch === undefined) return;
    const { uid } = object.metadata;
    const written = await api.patch(name, { status: patch }, { subresource: "status", preconditions: { uid } });
    entry.figuresAt = this.#now();
    if (written !== undefined) cache.note(written);
  }

  /** A change of state at once; figures alone can wait. */
  #isDue(before: NodeThinPoolStatus, wanted: NodeThinPoolStatus, { figuresAt }: Entry): boolean {
    return !isDeepStrictEqual(stateOf(before), stateOf(wanted)) || this.#now() - figuresAt >= FIGURES_MS;
  }
}

const EMPTY: NodeThinPoolStatus = nodeThinPoolStatus.parse({});

/** Sentences tell figures too, such as how much is free in a pool that is filling up. */
const stateOf = (status: NodeThinPoolStatus): object => ({
  ...Object.fromEntries(Object.entries(status).filter(([key, value]) => value !== undefined && !FIGURES.has(key))),
  message: withoutNumbers(status.message),
  conditions: status.conditions.map((condition) => ({ ...condition, message: withoutNumbers(condition.message) })),
});

const withoutNumbers = (sentence: string): string => sentence.replaceAll(/\d+(\.\d+)?/g, "#");
