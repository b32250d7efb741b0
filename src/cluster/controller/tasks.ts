import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../logger.ts";
import type { Source } from "./waiting.ts";

/** What is looked after beside the calls, by one controller at a time. */
export interface Task {
  readonly name: string;
  /** Each change is a reason to look again. */
  readonly sources: readonly Source[];
  /** For what comes with time alone. */
  readonly everyMs?: number;
  /** Repeated, finds it done; makes no request when there is nothing to do. */
  run(signal: AbortSignal): Promise<void>;
}

export interface TaskOptions {
  readonly logger: Logger;
  /** Changes come together: how long to wait for the others. Default 500. */
  readonly settleMs?: number;
  /** After what failed. Default 10,000. */
  readonly retryMs?: number;
}

/** Runs each task at once, then when something has changed, until the signal: another controller's turn, or the end. */
export async function runTasks(tasks: readonly Task[], signal: AbortSignal, options: TaskOptions): Promise<void> {
  await Promise.all(tasks.map(async (task) => repeat(task, signal, options)));
}

async function repeat(task: Task, signal: AbortSignal, { logger, settleMs = 500, retryMs = 10_000 }: TaskOptions): Promise<void> {
  const bell = new Bell(task.everyMs);
  const releases = task.sources.map((source) => source.onChange(() => bell.ring()));
  const end = (): void => bell.ring();
  signal.addEventListener("abort", end, { once: true });
  try {
    while (!signal.aborted) {
      const outcome = await attempt(task, signal, logger);
      if (outcome === "failed") await pause(retryMs, signal);
      else await bell.rung();
      await pause(settleMs, signal);
      bell.silence();
    }
  } finally {
    bell.silence();
    signal.removeEventListener("abort", end);
    for (const release of releases) release();
  }
}

async function attempt(task: Task, signal: AbortSignal, logger: Logger): Promise<"done" | "failed"> {
  try {
    await task.run(signal);
    return "done";
  } catch (error) {
    if (!signal.aborted) logger.warn("a task has failed, and is tried again", { task: task.name, error });
    return "failed";
  }
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

/** What rings while nobody listens is heard later. */
class Bell {
  readonly #everyMs: number | undefined;
  #rings = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number | undefined) {
    this.#everyMs = everyMs;
  }

  ring(): void {
    this.#rings.resolve();
  }

  async rung(): Promise<void> {
    if (this.#everyMs !== undefined) this.#timer = setTimeout(() => this.ring(), this.#everyMs);
    await this.#rings.promise;
  }

  silence(): void {
    clearTimeout(this.#timer);
    this.#rings = Promise.withResolvers<void>();
  }
}
