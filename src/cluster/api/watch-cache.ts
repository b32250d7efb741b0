import { DmthinError, isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { ApiObject } from "../objects/meta.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import type { Cache } from "./cache.ts";
import { Known } from "./known.ts";
import type { ObjectsApi, Selection, WatchEvent } from "./objects-api.ts";
import { Waiters } from "./waiters.ts";

export interface WatchCacheOptions {
  readonly logger: Logger;
  readonly selection?: Selection;
  readonly backoff?: BackoffOptions;
  /** A watch that tells nothing for so long, not even a bookmark, is given up for a list. The server sends one a minute, the first after up to two. Default 200,000. */
  readonly quietMs?: number;
  /** No watch is longer. The server ends them after five minutes: one that outlives that has stalled. Default 330,000. */
  readonly longestMs?: number;
}

/** A watch that lasted so long did not fail, whatever it told. */
const HEALTHY_MS = 5_000;
const FAILURES_UNTIL_LIST = 3;

/**
 * A list, then one bounded watch after another, each from where the last one ended; a new list when that version has
 * expired. While the API server is away, what is known stays.
 */
export class WatchCache<Item extends ApiObject> implements Cache<Item> {
  readonly synced: Promise<void>;
  readonly #api: ObjectsApi<Item>;
  readonly #options: WatchCacheOptions;
  readonly #known = new Known<Item>((name, item) => this.#tell(name, item));
  readonly #listeners = new Set<(name: string, item: Item | undefined) => void>();
  readonly #waiters = new Waiters<Item>();
  readonly #firstList = Promise.withResolvers<void>();
  readonly #ending = new AbortController();
  readonly #backoff: Backoff;
  readonly #running: Promise<void>;
  #isSynced = false;
  #isAway = false;
  #needsList = true;

  constructor(api: ObjectsApi<Item>, options: WatchCacheOptions) {
    this.#api = api;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.synced = this.#firstList.promise;
    this.synced.catch(() => undefined); // who does not wait for it is not told of its end
    this.#running = this.#follow();
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get items(): ReadonlyMap<string, Item> {
    return this.#known.items;
  }

  onChange(listener: (name: string, item: Item | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async until<Answer>(name: string, judge: (item: Item | undefined) => Answer | undefined, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    if (!this.#isSynced) await orAborted(this.synced, signal);
    return this.#waiters.wait(name, this.items.get(name), judge, signal);
  }

  note(item: Item): void {
    this.#known.note(item);
  }

  async close(): Promise<void> {
    const reason = new DmthinError({ code: "shutting-down" });
    this.#ending.abort(reason);
    this.#firstList.reject(reason);
    this.#waiters.end(reason);
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      const { failure, isHealthy } = await this.#round(signal);
      failures = failure === undefined || isHealthy ? 0 : failures + 1;
      // A version may be of no use for other reasons than its age, such as a restored etcd.
      if (failures >= FAILURES_UNTIL_LIST || isError(failure, "api-expired")) this.#needsList = true;
      if (isHealthy) this.#backoff.reset();
      // Always a pause: a server that ends each watch at once is not asked without end.
      await this.#backoff.pause(signal).catch(() => undefined);
    }
  }

  /** One watch, with a list before it if need be. */
  async #round(signal: AbortSignal): Promise<{ readonly failure: unknown; readonly isHealthy: boolean }> {
    const start = performance.now();
    const told = { count: 0 };
    let failure: unknown;
    try {
      if (this.#needsList) await this.#list(signal);
      await this.#watch(() => told.count++, signal);
    } catch (error) {
      failure = error;
    }
    if (!signal.aborted) this.#report(failure);
    return { failure, isHealthy: told.count > 0 || performance.now() - start > HEALTHY_MS };
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#known.replace(await this.#api.list(this.#options.selection, signal));
    this.#needsList = false;
    this.#report(undefined);
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#firstList.resolve();
  }

  /** One watch, to its end or to when it has stalled. */
  async #watch(onTold: () => void, signal: AbortSignal): Promise<void> {
    const { selection = {}, quietMs = 200_000, longestMs = 330_000 } = this.#options;
    const stalled = new AbortController();
    const longest = setTimeout(() => stalled.abort(new Stalled()), longestMs);
    const quiet = setTimeout(() => {
      // A server whose etcd was restored says nothing, either, to who asks for what comes after a version of another time.
      this.#needsList = true;
      stalled.abort(new Stalled());
    }, quietMs);
    const onEvent = (event: WatchEvent<Item>): void => {
      if (stalled.signal.aborted || signal.aborted) return; // what a watch tells after its end may be older than the next one's
      quiet.refresh();
      onTold();
      this.#report(undefined);
      this.#known.apply(event);
    };
    try {
      const ended = AbortSignal.any([signal, stalled.signal]);
      await orAborted(this.#api.watch(this.#known.version, selection, onEvent, ended), ended);
    } catch (error) {
      if (!(error instanceof Stalled)) throw error;
      this.#options.logger.warn("a watch told nothing for too long and is begun anew", { selection });
    } finally {
      stalled.abort(new Stalled());
      clearTimeout(longest);
      clearTimeout(quiet);
    }
  }

  /** Once when the API server goes, once when it is back. */
  #report(failure: unknown): void {
    if (isError(failure, "api-expired")) this.#options.logger.info("a watch has expired: listing anew", { error: failure });
    else if (failure !== undefined && !this.#isAway) {
      this.#isAway = true;
      this.#options.logger.warn("the watch failed, and is tried until it works again", { error: failure });
    } else if (failure === undefined && this.#isAway) {
      this.#isAway = false;
      this.#options.logger.info("the watch works again");
    }
  }

  #tell(name: string, item: Item | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(name, item);
      } catch (error) {
        this.#options.logger.error("what follows a watch has failed", { name, error });
      }
    }
    this.#waiters.tell(name, item);
  }
}

class Stalled extends Error {
  constructor() {
    super("the watch stalled");
  }
}

/** As the promise, but no longer than the signal: nobody waits for a request that does not notice its end. */
async function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  promise.catch(() => undefined); // its end may come when nobody listens any more
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
