import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";

/** After start there is enough else to do. */
const FIRST_MS = 60_000;

/** Measures now and then what each volume has alone, pool by pool: it walks through all of a pool's metadata. */
export class Measuring {
  readonly #pools: Iterable<Pool>;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: { readonly pools: Iterable<Pool>; readonly logger: Logger; readonly intervalMs: number }) {
    this.#pools = parts.pools;
    this.#logger = parts.logger;
    this.#intervalMs = parts.intervalMs;
    this.#next(Math.min(FIRST_MS, parts.intervalMs));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next(afterMs: number): void {
    this.#timer = setTimeout(() => void this.#measure(), afterMs).unref();
  }

  async #measure(): Promise<void> {
    for (const { description, view, calls } of Array.from(this.#pools)) {
      if (view.status.kind !== "ready" || view.stuck !== undefined || view.thins.size === 0) continue;
      await calls.measure().catch((error: unknown) => this.#logger.warn("volumes could not be measured", { pool: description.name, error }));
    }
    if (this.#timer !== undefined) this.#next(this.#intervalMs);
  }
}
