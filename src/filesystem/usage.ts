import { DmthinError } from "../errors.ts";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import type { FilesystemFigures } from "../linux/filesystem-calls.ts";
import { bytes } from "../units.ts";
import type { Usage } from "./filesystems.ts";

type Threads = Pick<BlockingThreads, "run">;

/**
 * statfs may wait in the kernel for as long as a device is suspended, so it has threads of its own, and a path that
 * hangs takes one of them, however often it is asked for: who asks meanwhile shares the call.
 */
export class UsageReader {
  readonly #threads: Threads;
  readonly #calls = new Map<string, Promise<FilesystemFigures>>();
  /** Given up by their callers, and still in the kernel. */
  readonly #stuck = new Map<string, Promise<unknown>>();

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  async read(path: string, deadlineMs: number): Promise<Usage> {
    const until = Date.now() + deadlineMs;
    const stuck = this.#stuck.get(path);
    if (stuck !== undefined) await within(stuck, path, deadlineMs);
    const left = Math.max(until - Date.now(), 1);
    return usageOf(await within(this.#calls.get(path) ?? this.#start(path, left), path, left));
  }

  #start(path: string, deadlineMs: number): Promise<FilesystemFigures> {
    const { done, outcome } = this.#threads.run({ kind: "statfs", path }, deadlineMs);
    this.#calls.set(path, done);
    done.then(
      () => this.#calls.delete(path),
      () => {
        this.#calls.delete(path);
        this.#stuck.set(path, outcome);
        void outcome.then(() => this.#stuck.delete(path));
      },
    );
    return done;
  }
}

/** A call that another began earlier may have more time than this caller has. */
async function within<Answer>(answer: Promise<Answer>, path: string, deadlineMs: number): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DmthinError({ code: "deadline", operation: `statfs of ${path}` })), deadlineMs);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function usageOf({ totalBytes, freeBytes, availableBytes, totalInodes, freeInodes }: FilesystemFigures): Usage {
  return {
    totalBytes,
    usedBytes: bytes(totalBytes - freeBytes),
    availableBytes,
    totalInodes,
    usedInodes: totalInodes - freeInodes,
    freeInodes,
  };
}
