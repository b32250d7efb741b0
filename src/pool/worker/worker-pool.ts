import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { PoolDescription } from "../../config/pool-description.ts";
import { DmthinError, fromPlain } from "../../errors.ts";
import type { Lock } from "../../linux/lock.ts";
import { workerEntry } from "../../linux/worker-entry.ts";
import type { Logger } from "../../logger.ts";
import type { PoolCalls, PoolStatus } from "../pool-calls.ts";
import { isLvmAtWork, lvmLockOf, tryPoolLock } from "../pool-lock.ts";
import type { Pool } from "../pool.ts";
import { LiveView } from "./view.ts";
import type { CallName, FromWorker, PoolWorkerData } from "./worker-messages.ts";

const LOCK_RETRY_MS = 500;
const RESTART_MS = 1_000;
/** More than callers have in flight at once: beyond, a pool that hangs in the kernel would only collect them. */
const MOST_WAITING = 1_000;
/** A call that has waited for longer is shown: the kernel keeps it. */
const UNUSUAL_MS = 5_000;
/** One clock for all that wait, which runs while anybody does: a timer and a look at the time for each are two system calls a call. */
const TICK_MS = 500;
/** They wait beside the actor for syncs, suspends and discards, which take as long as there is to write: that says nothing of the pool. */
const UNHURRIED: ReadonlySet<CallName> = new Set([
  "createVolume",
  "createSnapshots",
  "expand",
  "remove",
  "removeGroup",
  "inventory",
  "measure",
  "extend",
  "addDevices",
  "examineOrphan",
  "adoptOrphan",
  "removeOrphan",
]);
/** What they make is there before it is told. */
const MAKERS: ReadonlySet<CallName> = new Set(["createVolume", "createSnapshots", "adoptOrphan"]);
const PATIENCE_MS = 120_000;
const STILL_AT_WORK = "it was closed, and a call that was made before still waits in the kernel";

export interface WorkerPoolOptions {
  readonly description: PoolDescription;
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly bootId: string;
  readonly deadManFd: number | undefined;
  readonly logger: Logger;
  /** The uuids of pools that are on record elsewhere as this machine's: such a one is taken back with its disks. Default: none. */
  readonly recordedUuids?: readonly string[];
  /** The most that a caller without a deadline of its own waits. Default: two minutes. */
  readonly patienceMs?: number;
  /** The same pool, closed: its worker may last, which is no reason to take the lock for somebody else's. */
  readonly before?: Pool;
  /** What its thread runs. Default: the pool's worker. */
  readonly entry?: URL;
}

interface Waiting {
  readonly operation: CallName;
  /** How many ticks it has waited. */
  ticks: number;
  /** Since when, once it is unusually long. */
  since: Date | undefined;
  readonly giveUp: () => void;
  readonly settle: (settled: { readonly value: unknown } | { readonly error: Error }) => void;
}

/** A pool in a worker thread of its own: what hangs in the kernel holds up that thread, and nobody else. */
export class WorkerPool implements Pool {
  readonly description: PoolDescription;
  readonly calls: PoolCalls;
  readonly #options: Omit<WorkerPoolOptions, "before">;
  readonly #view = new LiveView();
  readonly #waiting = new Map<number, Waiting>();
  readonly #closing = new AbortController();
  readonly #patienceMs: number;
  /** Until this one has the lock. */
  #before: Pool | undefined;
  #lock: Lock | undefined;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** Begins at once, and serves when its view says so. */
  constructor({ before, ...options }: WorkerPoolOptions) {
    this.#options = options;
    this.#before = before;
    this.description = options.description;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.calls = callable((name, args) => this.#call(name, args));
    this.#begin();
  }

  get view(): LiveView {
    const oldest = this.#waiting.size === 0 ? undefined : [...this.#waiting.values()].find(({ operation }) => !UNHURRIED.has(operation));
    this.#view.waiting = oldest?.since === undefined ? undefined : { operation: oldest.operation, since: oldest.since };
    this.#view.unanswered = [...this.#waiting.values()].filter((waiting) => MAKERS.has(waiting.operation) && this.#isGivenUp(waiting)).length;
    return this.#view;
  }

  get isAtWork(): boolean {
    return this.#worker !== undefined || this.#before?.isAtWork === true;
  }

  async close(deadlineMs: number): Promise<void> {
    const isFirst = !this.#closing.signal.aborted;
    this.#closing.abort();
    clearTimeout(this.#timer);
    // What it holds may still change unseen: nothing is to be accepted for it, or taken for absent.
    if (this.#view.status.kind === "ready") this.#view.apply({ kind: "status", status: { kind: "recovering" } });
    const worker = this.#worker;
    if (worker !== undefined) {
      const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      if (isFirst) worker.postMessage({ kind: "close" });
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
      worker.unref();
    }
    this.#failAll(new DmthinError({ code: "shutting-down" }));
    // A worker that is still in the kernel is still at work: then the lock ends with it, or with the process.
    if (this.#worker === undefined) this.#lock?.release();
  }

  /** The lock first: without it nothing is touched. It is this process's, so that it outlives a worker that has to be replaced. */
  #begin(): void {
    if (this.#closing.signal.aborted) return;
    mkdirSync(this.#options.runDirectory, { recursive: true, mode: 0o700 });
    const { runDirectory, logger } = this.#options;
    const pool = this.description.name;
    this.#lock ??= tryPoolLock(runDirectory, pool);
    // A worker before this one may have left LVM at work.
    if (this.#lock !== undefined) this.#before = undefined;
    if (this.#lock !== undefined && !isLvmAtWork(runDirectory, pool)) {
      this.#view.apply({ kind: "status", status: { kind: "recovering" } });
      this.#start(this.#lock);
      return;
    }
    const status: PoolStatus = this.#before?.isAtWork === true ? { kind: "recovering", reason: STILL_AT_WORK } : { kind: "locked" };
    if (this.#view.status.kind !== "locked" && status.kind === "locked")
      logger.warn("another process, or LVM that one has left at work, has the pool: waiting for its end", { pool });
    this.#view.apply({ kind: "status", status });
    this.#timer = setTimeout(() => this.#begin(), LOCK_RETRY_MS);
  }

  #start(lock: Lock): void {
    const { description, runDirectory, bootId, deadManFd, recordedUuids = [], logger } = this.#options;
    const lvmLock = lvmLockOf(runDirectory, description.name);
    const stateDirectory = join(this.#options.stateDirectory, description.name);
    const data: PoolWorkerData = { description, stateDirectory, bootId, recordedUuids, deadManFd, lockFd: lock.fd, lvmLock };
    const worker = new Worker(this.#options.entry ?? workerEntry("pool-worker"), { name: `pool ${description.name}`, workerData: data });
    this.#worker = worker;
    worker.on("message", (messages: readonly FromWorker[]) => {
      for (const message of messages) this.#hear(message);
    });
    worker.on("error", (error) => logger.error("the pool's worker has failed", { pool: description.name, error }));
    worker.on("exit", () => {
      this.#worker = undefined;
      if (this.#closing.signal.aborted) return lock.release();
      this.#failAll(new DmthinError({ code: "pool-not-ready", pool: description.name, reason: "its worker has ended and is started again" }));
      this.#view.apply({ kind: "status", status: { kind: "recovering" } });
      this.#timer = setTimeout(() => this.#begin(), RESTART_MS);
    });
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "news":
        // How a pool is that was closed, was said when it was.
        if (message.news.kind !== "status" || !this.#closing.signal.aborted) this.#view.apply(message.news);
        break;
      case "log":
        this.#options.logger[message.level](message.message, message.fields);
        break;
      case "answer":
        this.#waiting.get(message.id)?.settle({ value: message.value });
        break;
      case "failure":
        this.#waiting.get(message.id)?.settle({ error: fromPlain(message.error) });
        break;
    }
  }

  async #call(name: CallName, args: readonly unknown[]): Promise<unknown> {
    const worker = this.#serving();
    if (this.#waiting.size >= MOST_WAITING) throw this.#isStuck(name);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#clock ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#waiting.set(id, {
      operation: name,
      ticks: 0,
      since: undefined,
      giveUp: () => reject(this.#isStuck(name)),
      settle: (settled) => {
        this.#waiting.delete(id);
        if ("error" in settled) reject(settled.error);
        else resolve(settled.value);
      },
    });
    worker.postMessage({ kind: "call", id, name, args });
    return promise;
  }

  #tick(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.ticks += 1;
      const waitedMs = waiting.ticks * TICK_MS;
      if (waitedMs > UNUSUAL_MS) waiting.since ??= new Date(Date.now() - waitedMs);
      if (this.#isGivenUp(waiting)) waiting.giveUp();
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #isGivenUp({ ticks }: Waiting): boolean {
    return ticks * TICK_MS >= this.#patienceMs;
  }

  #serving(): Worker {
    const pool = this.description.name;
    const { status } = this.#view;
    if (status.kind === "refused") throw new DmthinError({ code: "pool-refused", pool, reason: status.reason, remedy: status.remedy });
    if (this.#worker !== undefined && status.kind === "ready") return this.#worker;
    if (this.#closing.signal.aborted) throw new DmthinError({ code: "shutting-down" });
    const recovering = "reason" in status ? `it cannot be started: ${status.reason}` : "it is being recovered";
    throw new DmthinError({ code: "pool-not-ready", pool, reason: status.kind === "locked" ? "another process has its lock" : recovering });
  }

  #isStuck(operation: CallName): DmthinError {
    return new DmthinError({ code: "pool-stuck", pool: this.description.name, operation, forSeconds: this.#patienceMs / 1000 });
  }

  #failAll(error: DmthinError): void {
    for (const { settle } of this.#waiting.values()) settle({ error });
  }
}

/** The calls of an engine, each sent on by name. The table is total by type: a new call that is missing here does not compile. */
function callable(send: (name: CallName, args: readonly unknown[]) => Promise<unknown>): PoolCalls {
  const to =
    <Name extends CallName>(name: Name) =>
    (...args: Parameters<PoolCalls[Name]>) =>
      send(name, args) as ReturnType<PoolCalls[Name]>;
  return {
    createVolume: to("createVolume"),
    createSnapshots: to("createSnapshots"),
    expand: to("expand"),
    modify: to("modify"),
    remove: to("remove"),
    removeGroup: to("removeGroup"),
    activate: to("activate"),
    deactivate: to("deactivate"),
    setFilesystem: to("setFilesystem"),
    setStaging: to("setStaging"),
    setPublications: to("setPublications"),
    mapped: to("mapped"),
    refresh: to("refresh"),
    extend: to("extend"),
    addDevices: to("addDevices"),
    inventory: to("inventory"),
    measure: to("measure"),
    examineOrphan: to("examineOrphan"),
    adoptOrphan: to("adoptOrphan"),
    removeOrphan: to("removeOrphan"),
  };
}
