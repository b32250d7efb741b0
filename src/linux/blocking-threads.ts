import { DmthinError, fromPlain, toPlain } from "../errors.ts";
import { LONGEST_TIMER_MS } from "../units.ts";
import type { BlockingAnswers, BlockingReply, BlockingRequest } from "./blocking-request.ts";
import { BlockingThread } from "./blocking-thread.ts";

export interface BlockingThreadsOptions {
  /** `workerEntry("blocking-worker")`. */
  readonly entry: URL;
  /** How many calls run at once that somebody waits for; the next ones queue. Default 4. */
  readonly limit?: number;
  /** How many more may hang in the kernel, given up by their callers. When they are as many, they count against the limit. Default 16. */
  readonly abandonedLimit?: number;
  /** How long a call waits for a busy thread before another is started. Default 20. */
  readonly patienceMs?: number;
  /** How long a thread without a call is kept. Default 15,000. */
  readonly idleMs?: number;
}

export interface BlockingCall<Answer> {
  /** Ends with the call; rejects with "deadline" when that comes first. */
  readonly done: Promise<Answer>;
  /** Ends with the call itself, however late; at the deadline with that error when the call never began. Never rejects. */
  readonly outcome: Promise<{ readonly error: Error | undefined }>;
}

interface Job {
  readonly request: BlockingRequest;
  readonly reply: (reply: BlockingReply) => void;
  thread: BlockingThread | undefined;
}

/**
 * Threads for calls that can wait in the kernel for as long as a disk does. One stays for a while when idle; more are started when
 * it is busy, and ended when they are done. A call cannot be taken back: when its deadline passes, its thread is left to it.
 */
export class BlockingThreads {
  readonly #entry: URL;
  readonly #limit: number;
  readonly #abandonedLimit: number;
  readonly #patienceMs: number;
  readonly #idleMs: number;
  readonly #queue: Job[] = [];
  readonly #busy = new Set<BlockingThread>();
  readonly #abandoned = new Set<BlockingThread>();
  #idle: BlockingThread | undefined;
  #starting: NodeJS.Timeout | undefined;
  #resting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ entry, limit = 4, abandonedLimit = 16, patienceMs = 20, idleMs = 15_000 }: BlockingThreadsOptions) {
    this.#entry = entry;
    this.#limit = limit;
    this.#abandonedLimit = abandonedLimit;
    this.#patienceMs = patienceMs;
    this.#idleMs = idleMs;
  }

  /** `deadlineMs` is a duration from now. After `close` every call is refused with "shutting-down". */
  run<Kind extends BlockingRequest["kind"]>(
    request: Extract<BlockingRequest, { readonly kind: Kind }>,
    deadlineMs: number,
  ): BlockingCall<BlockingAnswers[Kind]> {
    const ended = Promise.withResolvers<BlockingReply>();
    const job: Job = { request, reply: ended.resolve, thread: undefined };
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => {
        const error = new DmthinError({ code: "deadline", operation: operationOf(request) });
        this.#giveUp(job, error);
        late.reject(error);
      },
      Math.min(deadlineMs, LONGEST_TIMER_MS),
    );
    const answered = ended.promise.then((reply) => {
      clearTimeout(timer);
      if ("error" in reply) throw fromPlain(reply.error);
      return reply.answer as BlockingAnswers[Kind];
    });
    const done = Promise.race([late.promise, answered]);
    // Whoever waits for the outcome only must not be ended by a rejection that nobody looks at.
    done.catch(() => undefined);
    if (this.#closed) job.reply({ error: toPlain(new DmthinError({ code: "shutting-down" })) });
    else {
      this.#queue.push(job);
      this.#dispatch();
    }
    return {
      done,
      outcome: answered.then(
        () => ({ error: undefined }),
        (error: unknown) => ({ error: asError(error) }),
      ),
    };
  }

  /** How many calls hang beyond their deadline. */
  get abandoned(): number {
    return this.#abandoned.size;
  }

  /** Ends the idle thread; calls that wait for one are refused; those in the kernel go on, and end their threads. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#starting);
    clearTimeout(this.#resting);
    for (const job of this.#queue.splice(0)) job.reply({ error: toPlain(new DmthinError({ code: "shutting-down" })) });
    for (const thread of this.#busy) thread.abandon();
    const idle = this.#idle;
    this.#idle = undefined;
    await idle?.end();
  }

  #dispatch(): void {
    if (this.#queue.length === 0) return;
    const idle = this.#idle;
    this.#idle = undefined;
    if (idle !== undefined && !idle.dead) this.#assign(idle);
    else if (this.#busy.size === 0 && this.#mayStart()) this.#assign(new BlockingThread(this.#entry));
    else this.#startSoon();
  }

  /** Most calls take no time: only one that has to wait is worth another thread. */
  #startSoon(): void {
    this.#starting ??= setTimeout(() => {
      this.#starting = undefined;
      if (this.#queue.length === 0 || !this.#mayStart()) return;
      this.#assign(new BlockingThread(this.#entry));
      this.#dispatch();
    }, this.#patienceMs).unref();
  }

  #mayStart(): boolean {
    return this.#busy.size < this.#limit && this.#busy.size + this.#abandoned.size < this.#limit + this.#abandonedLimit;
  }

  #assign(thread: BlockingThread): void {
    const job = this.#queue.shift();
    if (job === undefined) return;
    job.thread = thread;
    this.#busy.add(thread);
    void this.#see(job, thread);
  }

  async #see(job: Job, thread: BlockingThread): Promise<void> {
    job.reply(await thread.run(job.request));
    this.#busy.delete(thread);
    this.#abandoned.delete(thread);
    if (this.#closed || thread.dead || this.#idle !== undefined) void thread.end();
    else this.#rest(thread);
    this.#dispatch();
  }

  /** A thread costs 8 MiB: one that nobody needs goes. */
  #rest(thread: BlockingThread): void {
    this.#idle = thread;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (this.#idle !== thread) return;
      this.#idle = undefined;
      void thread.end();
    }, this.#idleMs).unref();
  }

  #giveUp(job: Job, error: Error): void {
    if (job.thread === undefined) {
      const position = this.#queue.indexOf(job);
      if (position !== -1) this.#queue.splice(position, 1);
      job.reply({ error: toPlain(error) });
      return;
    }
    job.thread.abandon();
    this.#busy.delete(job.thread);
    this.#abandoned.add(job.thread);
    this.#dispatch();
  }
}

const operationOf = (request: BlockingRequest): string =>
  request.kind === "ioctl" ? `${request.operation} of ${request.subject}` : `${request.kind} of ${request.path}`;
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
