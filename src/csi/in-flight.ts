import { DmthinError } from "../errors.ts";

/** The calls that are being answered: what a shutdown waits for, and then ends. */
export class InFlight {
  readonly #calls = new Map<AbortController, Promise<unknown>>();
  #isClosing = false;

  /** Rejects with "shutting-down" once closing has begun. The work's controller aborts with that when it has to end; the work may abort it for its own reasons. */
  async run<Result>(work: (ending: AbortController) => Promise<Result>): Promise<Result> {
    if (this.#isClosing) throw new DmthinError({ code: "shutting-down" });
    const ending = new AbortController();
    const running = work(ending);
    this.#calls.set(ending, running);
    try {
      return await running;
    } finally {
      this.#calls.delete(ending);
    }
  }

  /** Takes no more calls; resolves when those there are have ended. When `hurry` aborts they are told to, and it resolves. */
  async close(hurry: AbortSignal): Promise<void> {
    this.#isClosing = true;
    const hurried = Promise.withResolvers<void>();
    const onHurry = (): void => {
      for (const ending of this.#calls.keys()) ending.abort(new DmthinError({ code: "shutting-down" }));
      hurried.resolve();
    };
    if (hurry.aborted) onHurry();
    else hurry.addEventListener("abort", onHurry, { once: true });
    await Promise.race([Promise.allSettled(this.#calls.values()), hurried.promise]);
    hurry.removeEventListener("abort", onHurry);
  }
}
