export interface WorkQueueOptions {
  /** How many keys of one lane are worked on at once. Default 32. */
  readonly limit?: number;
  /** What may hang does so in a lane of its own, and holds up no other. Default: one for all. */
  readonly laneOf?: (key: string) => string;
  /** The first pause before the same is tried again, at most. Default 200. */
  readonly minimumMs?: number;
  /** The longest. Default 30,000. */
  readonly maximumMs?: number;
  readonly random?: () => number;
}

/** `attempt`: how often it was put off since it last settled. What it throws is put off as well. */
export type Work = (key: string, attempt: number) => Promise<"settled" | "again">;

interface Entry {
  state: "queued" | "running" | "paused" | "idle";
  /** Something changed while it was worked on. */
  isStale: boolean;
  attempt: number;
  timer: NodeJS.Timeout | undefined;
}

interface Lane {
  readonly queued: string[];
  readonly running: Set<Promise<void>>;
}

/**
 * Keys to be looked at, each by one at a time, many at once. What is added while it is worked on is looked at once more
 * afterwards; what has to be tried again is after a pause that doubles, cut by up to half at random.
 */
export class WorkQueue {
  readonly #work: Work;
  readonly #onError: (key: string, error: unknown) => void;
  readonly #limit: number;
  readonly #laneOf: (key: string) => string;
  readonly #pauseMs: (attempt: number) => number;
  readonly #entries = new Map<string, Entry>();
  readonly #lanes = new Map<string, Lane>();
  #isClosed = false;

  constructor(work: Work, onError: (key: string, error: unknown) => void, options: WorkQueueOptions = {}) {
    const { limit = 32, laneOf = () => "", minimumMs = 200, maximumMs = 30_000, random = Math.random } = options;
    this.#work = work;
    this.#onError = onError;
    this.#limit = limit;
    this.#laneOf = laneOf;
    this.#pauseMs = (attempt) => Math.min(minimumMs * 2 ** attempt, maximumMs) * (0.5 + random() / 2);
  }

  /** Keys that are being worked on or wait for it; those that are put off are not counted. */
  get busy(): number {
    return Array.from(this.#lanes.values()).reduce((sum, { queued, running }) => sum + queued.length + running.size, 0);
  }

  /** Ends a pause. */
  add(key: string): void {
    if (this.#isClosed) return;
    const entry = this.#entries.get(key) ?? { state: "idle", isStale: false, attempt: 0, timer: undefined };
    this.#entries.set(key, entry);
    if (entry.state === "running") entry.isStale = true;
    else if (entry.state !== "queued") this.#enqueue(key, entry);
  }

  /** Resolves when what is being worked on has ended; nothing is begun any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    const lanes = Array.from(this.#lanes.values());
    for (const { queued } of lanes) queued.length = 0;
    await Promise.all(lanes.flatMap(({ running }) => [...running]));
  }

  #enqueue(key: string, entry: Entry): void {
    clearTimeout(entry.timer);
    entry.state = "queued";
    const name = this.#laneOf(key);
    const lane = this.#lanes.get(name) ?? { queued: [], running: new Set() };
    this.#lanes.set(name, lane);
    lane.queued.push(key);
    this.#startMore(name, lane);
  }

  #startMore(name: string, lane: Lane): void {
    while (lane.running.size < this.#limit && !this.#isClosed) {
      const key = lane.queued.shift();
      const entry = key === undefined ? undefined : this.#entries.get(key);
      if (key === undefined || entry === undefined) break;
      entry.state = "running";
      const run = this.#run(key, entry).finally(() => {
        lane.running.delete(run);
        this.#startMore(name, lane);
      });
      lane.running.add(run);
    }
    if (lane.running.size === 0 && lane.queued.length === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const outcome = await this.#outcomeOf(key, entry.attempt);
    if (this.#isClosed) return;
    entry.attempt = outcome === "settled" ? 0 : entry.attempt + 1;
    if (entry.isStale) {
      entry.isStale = false;
      this.#enqueue(key, entry);
    } else if (outcome === "settled") this.#entries.delete(key);
    else {
      entry.state = "paused";
      entry.timer = setTimeout(() => this.#enqueue(key, entry), this.#pauseMs(entry.attempt - 1)).unref();
    }
  }

  async #outcomeOf(key: string, attempt: number): Promise<"settled" | "again"> {
    try {
      return await this.#work(key, attempt);
    } catch (error) {
      this.#onError(key, error);
      return "again";
    }
  }
}
