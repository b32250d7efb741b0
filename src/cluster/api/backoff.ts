import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffOptions {
  /** The first pause, at most. Default 200. */
  readonly minimumMs?: number;
  /** The longest: so late at most is noticed that the API server is back. Default 10,000. */
  readonly maximumMs?: number;
}

/** Pauses that double, each cut by up to half at random: after an outage the cluster's nodes do not come back in one moment. */
export class Backoff {
  readonly #minimumMs: number;
  readonly #maximumMs: number;
  #nextMs: number;

  constructor({ minimumMs = 200, maximumMs = 10_000 }: BackoffOptions = {}) {
    this.#minimumMs = minimumMs;
    this.#maximumMs = maximumMs;
    this.#nextMs = minimumMs;
  }

  /** Rejects with the signal's reason. */
  async pause(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#nextMs * (0.5 + Math.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maximumMs);
    await pause(pauseMs, signal);
  }

  reset(): void {
    this.#nextMs = this.#minimumMs;
  }
}

/** Rejects with the signal's reason, not with Node's own error. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
