import { watchDeviceEvents } from "../../devicemapper/events.ts";
import type { Logger } from "../../logger.ts";
import type { Pool, PoolView } from "../pool.ts";

/** In the view only: whether a pool has begun to serve, or has come back. */
const NOT_SERVING_MS = 250;
/** Until care has said how soon it wants to look. */
const UNKNOWN_MS = 1_000;
/** Our own devices coming and going are events too: after one, those that follow are looked at together. */
const BETWEEN_EVENTS_MS = 250;

export interface PoolWatch {
  /** After pools were added or taken away. */
  follow(): void;
  close(): Promise<void>;
}

/** Lets each pool look after itself: every 1 to 10 s, the nearer to full the sooner, and at once when the kernel says that something happened. */
export function watchPools(pools: Iterable<Pool>, logger: Logger, watchEvents = watchDeviceEvents): PoolWatch {
  const clocks = new Map<Pool, Clock>();
  const follow = (): void => {
    const there = new Set(pools);
    for (const pool of there) if (!clocks.has(pool)) clocks.set(pool, new Clock(pool, logger));
    for (const [pool, clock] of Array.from(clocks)) {
      if (there.has(pool)) continue;
      clock.stop();
      clocks.delete(pool);
    }
  };
  follow();
  let quiet: NodeJS.Timeout | undefined;
  let missed = false;
  const look = (): void => {
    missed = false;
    for (const clock of clocks.values()) clock.lookNow();
    quiet = setTimeout(() => {
      quiet = undefined;
      if (missed) look();
    }, BETWEEN_EVENTS_MS);
  };
  const events = watchEvents({
    onEvent: () => {
      if (quiet === undefined) look();
      else missed = true;
    },
    onFailure: (error) => logger.warn("the kernel's events cannot be followed: the pools are looked at by the clock alone", { error }),
  });
  return {
    follow,
    close: async () => {
      clearTimeout(quiet);
      for (const clock of clocks.values()) clock.stop();
      await events.close();
    },
  };
}

/** One look of a pool at a time: the next one's time is counted from its answer. */
class Clock {
  readonly #pool: Pool;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #underWay = false;
  #hasLooked = false;
  #again = false;
  #stopped = false;

  constructor(pool: Pool, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
    this.#wait();
  }

  lookNow(): void {
    this.#again = true;
    if (!this.#underWay && !this.#stopped) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#underWay = true;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#refresh();
    }
    this.#underWay = false;
    this.#wait();
  }

  async #refresh(): Promise<void> {
    const { view, calls, description } = this.#pool;
    if (!isServing(view)) return;
    this.#hasLooked = true;
    try {
      await calls.refresh();
    } catch (error) {
      this.#logger.debug("the pool's figures could not be read", { pool: description.name, error });
    }
  }

  #wait(): void {
    if (this.#stopped) return;
    const { view } = this.#pool;
    const known = this.#hasLooked ? (view.care?.nextLookMs ?? UNKNOWN_MS) : 0;
    this.#timer = setTimeout(() => this.lookNow(), isServing(view) ? known : NOT_SERVING_MS);
  }
}

const isServing = ({ status, stuck }: PoolView): boolean => status.kind === "ready" && stuck === undefined;
