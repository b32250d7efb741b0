import { DmthinError } from "../errors.ts";

/** The calls that are being answered: what a shutdown waits for, and then ends. */
export class InFlight {
  readonly #ending = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();
  #isClosing = false;

  /** Rejects with "shutting-down" once closing has begun. The work's signal aborts with that when it has to end. */
  async run<Result>(work: (ending: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#isClosing) throw new DmthinError({ code: "shutting-down" });
    const running = work(this.#ending.signal);
    this.#calls.add(running);
    try {
      return await running;
    } finally {
      this.#calls.delete(running);
    }
  }

  /** Takes no more calls; resolves when those there are have ended. When `hurry` aborts they are told to, and it resolves. */
  async close(hurry: AbortSignal): Promise<void> {
    this.#isClosing = true;
    const hurried = Promise.withResolvers<void>();
    const onHurry = (): void => {
      this.#ending.abort(new DmthinError({ code: "shutting-down" }));
      hurried.resolve();
    };
    if (hurry.aborted) onHurry();
    else hurry.addEventListener("abort", onHurry, { once: true });
    await Promise.race([Promise.allSettled(this.#calls), hurried.promise]);
    hurry.removeEventListener("abort", onHurry);
  }
}
