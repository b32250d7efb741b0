import { Worker } from "node:worker_threads";
import { toPlain } from "../errors.ts";
import type { BlockingReply, BlockingRequest } from "./blocking-request.ts";
import { SMALL_WORKER } from "./worker-entry.ts";

/** One worker thread, for one call at a time. It holds the process alive only during a call that somebody waits for. */
export class BlockingThread {
  readonly #worker: Worker;
  #reply: ((reply: BlockingReply) => void) | undefined;
  #dead = false;

  constructor(entry: URL) {
    this.#worker = new Worker(entry, { name: "blocking", resourceLimits: SMALL_WORKER });
    this.#worker.unref();
    this.#worker.on("message", (reply: BlockingReply) => this.#answer(reply));
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.on("exit", () => this.#die(new Error("the thread of a blocking call has ended")));
  }

  /** Whether it has ended, by itself or by `end`: then it takes no more calls. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Never rejects: what went wrong is in the reply. */
  run(request: BlockingRequest): Promise<BlockingReply> {
    const { promise, resolve } = Promise.withResolvers<BlockingReply>();
    this.#reply = resolve;
    this.#worker.ref();
    this.#worker.postMessage(request);
    return promise;
  }

  /** Nobody waits for the call any more: it alone must not hold the process. */
  abandon(): void {
    this.#worker.unref();
  }

  /** At once when idle; a call that hangs in the kernel comes to its end first. */
  async end(): Promise<void> {
    this.#dead = true;
    await this.#worker.terminate();
  }

  #answer(reply: BlockingReply): void {
    const resolve = this.#reply;
    this.#reply = undefined;
    this.#worker.unref();
    resolve?.(reply);
  }

  #die(error: unknown): void {
    this.#dead = true;
    this.#answer({ error: toPlain(error) });
  }
}
