import { isDeepStrictEqual } from "node:util";
import { describeClusterPool } from "../../config/cluster-pool.ts";
import type { PoolDescription } from "../../config/pool-description.ts";
import { DmthinError, isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Pool } from "../../pool/pool.ts";
import type { Cache } from "../api/cache.ts";
import type { ClusterNode } from "../objects/core.ts";
import { matchesLabels } from "../objects/label-selector.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinPool } from "../objects/thin-pool.ts";
import { changeProblems, namedDisks } from "./description-change.ts";
import type { PoolSeen } from "./pool-status.ts";
import { whatHolds, whoWaits } from "./removal.ts";
import type { SavedPool, SavedPools } from "../../config/saved-pools.ts";

/** This machine's pools, as whoever decides which there are changes them. */
export interface PoolHost {
  /** What a pool's disks hold of before is taken back, where it is on record that they are this machine's. */
  open(descriptions: readonly PoolDescription[]): Promise<readonly Pool[]>;
  /** The same pool by another description: it is away for a moment, its volumes stay in use. */
  reopen(pool: Pool, description: PoolDescription): Promise<Pool>;
  /** Takes a pool that holds nothing off this machine; `wipe` gives its disks back clean. Answers what is in the way, and the pool as it is served again then. */
  remove(pool: Pool, options: { readonly wipe: boolean }): Promise<{ readonly error: unknown; readonly pool: Pool } | undefined>;
}

export interface NodePoolsOptions {
  readonly node: string;
  readonly host: PoolHost;
  readonly saved: SavedPools;
  readonly directories: { readonly stateDirectory: string; readonly runDirectory: string };
  /** How many objects, such as volumes, the cluster has in a pool on this node: each of them waits for the pool, whatever that has of it. */
  readonly placedIn: (pool: string) => number;
  readonly logger: Logger;
  /** From one look at what waits to the next. Default: 5 s. */
  readonly lookMs?: number;
  /** From when it is told that a pool is to go until it goes: the controller puts nothing there any more then. Default: 5 s. */
  readonly settleMs?: number;
  /** After a removal that failed: the pool is away for a moment at each attempt. Default: a minute. */
  readonly retryMs?: number;
  /** How long a pool that was refused is left to who may mend it before it is looked at again. Default: five minutes. */
  readonly refusedMs?: number;
}

/** What the API server tells. */
export interface PoolWishes {
  readonly thinPools: Cache<ThinPool>;
  /** Of this node alone. */
  readonly nodes: Cache<ClusterNode>;
}

interface Entry {
  /** What the pool is. */
  saved: SavedPool;
  /** What the next start finds, which is the same or newer. */
  onDisk: SavedPool;
  description: PoolDescription;
  pool: Pool;
  removal: string | undefined;
  /** Its disks are free, and its description is still saved. */
  isRemoved: boolean;
  /** Of the clock that only goes forwards: when it may be removed again. */
  removableFrom: number;
  /** Of the same clock: since when it is closed, so that its lock is free, for commands such as an import. */
  restingSince: number | undefined;
  /** Whether named disks that the pool lacks have been added since it was opened. */
  disksAdded: boolean;
}

const LOOK_MS = 5_000;
const SETTLE_MS = 5_000;
const RETRY_MS = 60_000;
const REFUSED_MS = 300_000;
const CLOSE_MS = 5_000;
const CHANGED = "put it back, or delete the ThinPool and wait until this node has let go of the pool";

/**
 * Which pools this node has: those of the ThinPools that select it, as it has last accepted each. What was accepted is
 * saved before it is followed, and is what the node starts with. A pool goes when its ThinPool is gone, or selects the
 * node no more, and it holds nothing.
 */
export class NodePools {
  readonly #options: NodePoolsOptions;
  readonly #entries = new Map<string, Entry>();
  /** Why a ThinPool is not followed as it is now. */
  readonly #refusals = new Map<string, string>();
  readonly #ends: (() => void)[] = [];
  #wishes: PoolWishes | undefined;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #again = false;
  #ended = false;
  #isKnown = false;

  constructor(options: NodePoolsOptions) {
    this.#options = options;
  }

  /** What was accepted last begins to recover at once: without the API server, and before anything else. Unreadable by now: said, and left alone. */
  async openSaved(): Promise<void> {
    const { saved, host, logger } = this.#options;
    const found: { saved: SavedPool; description: PoolDescription }[] = [];
    for (const pool of await saved.read()) {
      try {
        found.push({ saved: pool, description: this.#describe(pool, found) });
      } catch (error) {
        if (!isError(error, "config-invalid")) throw error;
        this.#refusals.set(pool.name, sentenceOf(error));
        logger.error("a pool of this node is not opened: its description is not valid any more", { pool: pool.name, error });
      }
    }
    const pools = await host.open(found.map(({ description }) => description));
    for (const [index, pool] of pools.entries()) {
      const { saved: accepted, description } = found[index] ?? {};
      if (accepted === undefined || description === undefined) throw new Error("a pool was opened that nobody asked for");
      this.#entries.set(accepted.name, opened(accepted, description, pool));
    }
  }

  /** Follows the ThinPools from now on. */
  begin(wishes: PoolWishes): void {
    const { thinPools, nodes } = wishes;
    this.#wishes = wishes;
    const look = (): void => this.look();
    this.#ends.push(thinPools.onChange(look), nodes.onChange(look));
    this.#timer = setInterval(look, this.#options.lookMs ?? LOOK_MS).unref();
    void thinPools.synced.then(look, () => undefined);
    void nodes.synced.then(look, () => undefined);
    look();
  }

  /** Whether the API server has told which pools there are to be, and each has begun to open. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** By name: the pools that are here, and those that are refused. */
  seen(): ReadonlyMap<string, Omit<PoolSeen, "unclaimed">> {
    const names = new Set([...this.#entries.keys(), ...this.#refusals.keys()]);
    return new Map(
      Array.from(names, (name) => {
        const { pool, saved, removal } = this.#entries.get(name) ?? {};
        return [name, { pool, observedGeneration: saved?.generation, removal, refusal: this.#refusals.get(name) }];
      }),
    );
  }

  /** Soon: one look at a time. */
  look(): void {
    this.#again = true;
    if (this.#underWay === undefined && !this.#ended) this.#underWay = this.#looks().finally(() => (this.#underWay = undefined));
  }

  async close(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    for (const end of this.#ends) end();
    await this.#underWay;
  }

  async #looks(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { node: name, logger } = this.#options;
    const { thinPools, nodes } = this.#wishes ?? {};
    const node = nodes?.items.get(name);
    // Nothing is concluded from what is not there: the node's labels decide, and a list that is not in yet says nothing.
    if (thinPools?.isSynced !== true || nodes?.isSynced !== true || node === undefined) return;
    let isComplete = true;
    for (const pool of new Set([...this.#entries.keys(), ...this.#refusals.keys(), ...thinPools.items.keys()])) {
      if (this.#ended) return;
      try {
        await this.#lookAt(pool, thinPools.items.get(pool), node);
      } catch (error) {
        isComplete = false;
        logger.error("a pool of this node could not be followed, and is tried again", { pool, error });
      }
    }
    this.#isKnown ||= isComplete;
  }

  async #lookAt(name: string, object: ThinPool | undefined, { metadata: { labels } }: ClusterNode): Promise<void> {
    const isWanted = object !== undefined && !isTerminating(object) && matchesLabels(object.spec.nodeSelector, labels);
    const entry = this.#entries.get(name);
    if (entry?.isRemoved === true) return this.#forget(entry);
    // Closed, and what was to follow has failed: it is among the pools again first.
    if (entry?.restingSince !== undefined && entry.pool.view.status.kind !== "refused") await this.#reopen(entry);
    if (isWanted) return this.#follow(object, entry);
    this.#refusals.delete(name);
    if (entry !== undefined) await this.#remove(entry, object);
  }

  async #follow({ metadata: { name, uid, generation }, spec }: ThinPool, entry: Entry | undefined): Promise<void> {
    const { saved, host, logger } = this.#options;
    if (entry !== undefined) entry.removal = undefined;
    const written: SavedPool = { name, uid, generation, spec };
    if (entry?.saved.uid === uid && entry.saved.generation === generation) {
      this.#refusals.delete(name);
      return entry.pool.view.status.kind === "refused" ? this.#rest(entry) : this.#addDisks(entry);
    }
    const description = this.#accept(written, entry);
    if (description === undefined) return;
    if (entry === undefined || !isDeepStrictEqual(written, entry.onDisk)) await saved.write(written);
    if (entry === undefined) {
      const [pool] = await host.open([description]);
      if (pool === undefined) throw new Error("a pool was not opened");
      this.#entries.set(name, opened(written, description, pool));
      logger.info("a pool of this node is set up", { pool: name, generation });
      return;
    }
    entry.onDisk = written;
    if (!isDeepStrictEqual(description, entry.description)) {
      if (isStarting(entry.pool)) return; // which may take long, and cannot be broken off: a later look finds that it has ended
      logger.info("a pool's description has changed: it is opened anew, and its volumes stay in use", { pool: name, generation });
      await this.#reopen(entry, description);
    }
    entry.saved = written; // not before it is so: this is what is told
  }

  async #reopen(entry: Entry, description = entry.description): Promise<void> {
    entry.restingSince ??= performance.now(); // from here on it is closed, whatever fails
    entry.pool = await this.#options.host.reopen(entry.pool, description);
    entry.description = description;
    entry.restingSince = undefined;
    entry.disksAdded = false;
  }

  /** Refused is for a person to mend: meanwhile nobody has its lock, and now and then it is looked at anew. */
  async #rest(entry: Entry): Promise<void> {
    const { refusedMs = REFUSED_MS } = this.#options;
    if (entry.restingSince === undefined) {
      await entry.pool.close(CLOSE_MS);
      entry.restingSince = performance.now();
    } else if (performance.now() - entry.restingSince >= refusedMs) await this.#reopen(entry);
  }

  /** The description that is to be followed from now on; undefined: it is refused, which is kept to be told. */
  #accept(written: SavedPool, entry: Entry | undefined): PoolDescription | undefined {
    const { name } = written;
    try {
      const others = Array.from(this.#entries.values()).filter((other) => other !== entry);
      const description = this.#describe(written, others);
      // One that was refused and never held anything is not bound to what it was to be.
      const isMade = entry !== undefined && !(entry.pool.view.status.kind === "refused" && entry.pool.view.poolUuid === undefined);
      const problems = isMade ? changeProblems(entry.description, description) : [];
      if (problems.length > 0) throw new DmthinError({ code: "invalid-argument", problems: [...problems, CHANGED] });
      this.#refusals.delete(name);
      return description;
    } catch (error) {
      if (!isError(error, "config-invalid") && !isError(error, "invalid-argument")) throw error;
      const sentence = sentenceOf(error);
      if (this.#refusals.get(name) !== sentence) this.#options.logger.warn("a ThinPool cannot be followed", { pool: name, reason: sentence });
      this.#refusals.set(name, sentence);
      return undefined;
    }
  }

  #describe({ name, spec }: SavedPool, others: readonly { readonly saved: SavedPool }[]): PoolDescription {
    return describeClusterPool({ name, spec }, { ...this.#options.directories, others: others.map(({ saved }) => saved) });
  }

  /** Disks that the ThinPool names and the pool lacks, once after each opening: what is refused is among the excluded disks, with the reason. */
  async #addDisks(entry: Entry): Promise<void> {
    const { view, calls } = entry.pool;
    if (entry.disksAdded || view.status.kind !== "ready" || view.memberDisks === undefined) return;
    entry.disksAdded = true;
    const missing = namedDisks(entry.description).filter((path) => view.memberDisks?.includes(path) !== true);
    for (const path of missing) {
      try {
        await calls.addDevices([path]);
      } catch (error) {
        if (!(error instanceof DmthinError)) throw error;
        this.#options.logger.warn("a disk that the ThinPool names is not added", { pool: entry.saved.name, disk: path, error });
      }
    }
  }

  /** Only what holds nothing goes; else it waits, and says for what. */
  async #remove(entry: Entry, object: ThinPool | undefined): Promise<void> {
    const { host, logger } = this.#options;
    const { name } = entry.saved;
    const why = object === undefined || isTerminating(object) ? "its ThinPool is deleted" : "its ThinPool selects this node no more";
    const held = whatHolds(entry.pool) ?? whoWaits(this.#options.placedIn(name));
    if (held !== undefined) {
      if (entry.removal === undefined) logger.info("a pool is to go, and waits", { pool: name, why, held });
      entry.removal = `${why}, and it waits: ${held}`;
      return;
    }
    if (entry.removal === undefined) {
      entry.removal = `${why}: it is being removed`;
      entry.removableFrom = performance.now() + (this.#options.settleMs ?? SETTLE_MS);
    }
    if (performance.now() < entry.removableFrom) return;
    const wipe = policyOf(object?.spec ?? entry.saved.spec) === "Wipe" && entry.description.backing.kind !== "existing";
    entry.restingSince ??= performance.now();
    const failed = await host.remove(entry.pool, { wipe });
    if (failed !== undefined) {
      const { error, pool } = failed;
      entry.pool = pool;
      entry.restingSince = undefined;
      entry.removableFrom = performance.now() + (this.#options.retryMs ?? RETRY_MS);
      entry.removal = `${why}, and it cannot be removed: ${error instanceof Error ? error.message : String(error)}`;
      logger.warn("a pool cannot be removed, and is tried again", { pool: name, error });
      return;
    }
    entry.isRemoved = true;
    logger.info("a pool was removed", { pool: name, why });
    await this.#forget(entry);
  }

  /** Of a pool that is no more. What fails is tried at the next look, at which the pool must not be made anew. */
  async #forget({ saved: { name } }: Entry): Promise<void> {
    await this.#options.saved.remove(name);
    this.#entries.delete(name);
  }
}

const opened = (saved: SavedPool, description: PoolDescription, pool: Pool): Entry => ({
  saved,
  onDisk: saved,
  description,
  pool,
  removal: undefined,
  isRemoved: false,
  removableFrom: -Infinity,
  restingSince: undefined,
  disksAdded: false,
});

const isStarting = ({ view: { status } }: Pool): boolean => status.kind === "recovering" && status.reason === undefined;

const policyOf = (spec: Readonly<Record<string, unknown>>): unknown => spec["deletionPolicy"];

/** Of a description that is not valid: its problems, on one line. */
function sentenceOf(error: DmthinError): string {
  const { facts } = error;
  return facts.code === "config-invalid" ? facts.problems.map(({ path, message }) => `${path}: ${message}`).join("; ") : error.message;
}
