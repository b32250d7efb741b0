import { DmthinError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { kindOfId } from "./ids.ts";
import { Locks, type Subjects } from "./locks.ts";
import type { Call } from "./volumes.ts";

/**
 * Runs what a call asks for. The caller is answered by its deadline; the work goes on where it cannot be stopped, and
 * keeps its ids until it has really ended, so that a repeated call meets "in-progress" and nothing runs twice.
 */
export class Operations {
  readonly #locks = new Locks();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  async run<Result>(call: Call, operation: string, subjects: Subjects, work: () => Promise<Result>): Promise<Result> {
    const [id = ""] = subjects.exclusive;
    const title = `${operation} of ${kindOfId(id)} ${id}`;
    requireTime(call, title);
    const held = this.#locks.take(operation, subjects);
    const ended = (async () => {
      using _ = held;
      return await work();
    })();
    return untilGivenUp(call, title, ended, (error) =>
      this.#logger.warn("an operation has failed after its caller gave up", { operation: title, requestId: call.requestId, error }),
    );
  }
}

/** Throws "deadline", or why else the call has ended: asked between the steps of what takes several. */
export function requireTime(call: Call, operation: string): void {
  if (call.signal.aborted) throw endOf(call, operation);
}

async function untilGivenUp<Result>(call: Call, operation: string, work: Promise<Result>, onLateFailure: (error: unknown) => void): Promise<Result> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = (): void => {
    givenUp.reject(endOf(call, operation));
    work.catch(onLateFailure);
  };
  call.signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([work, givenUp.promise]);
  } finally {
    call.signal.removeEventListener("abort", giveUp);
  }
}

function endOf(call: Call, operation: string): DmthinError {
  const reason: unknown = call.signal.reason;
  return reason instanceof DmthinError ? reason : new DmthinError({ code: "deadline", operation }, { cause: reason });
}
