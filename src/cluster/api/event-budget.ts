export interface EventBudgetOptions {
  /** How many of one object may come at once. Default 25. */
  readonly burst?: number;
  /** After how long another one may. Default 300,000. */
  readonly refillMs?: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** How many objects are kept account of. */
const MAX_OBJECTS = 1000;

/** How many events of one object are told: a story without an end is cut. Source: client-go, EventSourceObjectSpamFilter. */
export class EventBudget {
  readonly #left = new Map<string, { tokens: number; at: number }>();
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #now: () => number;

  constructor({ burst = 25, refillMs = 300_000, now = () => performance.now() }: EventBudgetOptions = {}) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#now = now;
  }

  /** Whether one more may be told of the object of this uid. */
  take(uid: string): boolean {
    const now = this.#now();
    const { tokens, at } = this.#left.get(uid) ?? { tokens: this.#burst, at: now };
    const filled = Math.min(tokens + (now - at) / this.#refillMs, this.#burst);
    this.#left.delete(uid); // the last one asked about is the last one forgotten
    this.#left.set(uid, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_OBJECTS && oldest !== undefined) this.#left.delete(oldest);
    return filled >= 1;
  }
}
