import type { EventEmitter } from "node:events";
import type { Logger } from "./logger.ts";

/** What a role of the program is while it runs. */
export interface Service {
  /**
   * Stops accepting calls, lets those under way finish until `hurry` aborts, then closes what they used.
   * In `deadlineMs` nobody waits for it any more.
   */
  close(deadlineMs: number, hurry: AbortSignal): Promise<void>;
}

/** `overdue`: the deadline passed, and what hangs in the kernel hangs on. */
export type Ending = "ended" | "overdue";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** This part of the deadline is for calls; the rest is for closing what they used. */
const CALLS_SHARE = 0.8;
/** What is left after a second signal. */
const HURRIED_MS = 2000;

/**
 * Runs a service until SIGTERM or SIGINT, then closes it; a second signal hastens that. A signal while it starts is
 * heeded once it has started, since a start is a recovery. `signals` is the process. Rejects as `start` and `close` do.
 */
export async function untilSignal(
  start: () => Promise<Service>,
  { deadlineMs, logger, signals }: { readonly deadlineMs: number; readonly logger: Logger; readonly signals: Pick<EventEmitter, "on" | "off"> },
): Promise<Ending> {
  const asked = Promise.withResolvers<number>();
  const overdue = Promise.withResolvers<Ending>();
  const hurry = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const endIn = (milliseconds: number): void => {
    timers.push(setTimeout(() => overdue.resolve("overdue"), milliseconds));
  };
  let received = 0;
  const listener = (signal: NodeJS.Signals): void => {
    received += 1;
    logger.info(received === 1 ? "shutting down" : "shutting down at once", { signal });
    asked.resolve(performance.now());
    if (received === 1) {
      timers.push(setTimeout(() => hurry.abort(), deadlineMs * CALLS_SHARE));
      endIn(deadlineMs);
    } else {
      hurry.abort();
      endIn(Math.min(HURRIED_MS, deadlineMs));
    }
  };
  const run = async (): Promise<Ending> => {
    const service = await start();
    const since = await asked.promise;
    await service.close(Math.max(deadlineMs - (performance.now() - since), 0), hurry.signal);
    return "ended";
  };
  // Threads and timers of the service may all be unreferenced: it is this that keeps the process.
  const alive = setInterval(() => undefined, 2 ** 30);
  for (const signal of SIGNALS) signals.on(signal, listener);
  try {
    return await Promise.race([run(), overdue.promise]);
  } finally {
    for (const signal of SIGNALS) signals.off(signal, listener);
    for (const timer of timers) clearTimeout(timer);
    clearInterval(alive);
  }
}
