import type { Catalog, CatalogWriter } from "../catalog/catalog.ts";
import type { Intent } from "../catalog/intent.ts";
import { DmthinError, isErrno, isError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { ThinListing } from "../devicemapper/thin-tools.ts";
import type { PoolState } from "./pool-calls.ts";
import type { ThinPoolDevice } from "./thin-pool-device.ts";

/** Told before and after each step of each transition, so that the crash tests can end the process at any of them. */
export type StepObserver = (transition: string, step: string, moment: "before" | "after") => void;

export interface TransitionPlan<Outcome> {
  readonly kind: Intent["kind"];
  readonly ids: readonly string[];
  readonly numbers: readonly number[];
  /** Further changes committed with the intent. */
  readonly begin?: (writer: CatalogWriter) => void;
  /** What the kernel is asked, one named step after the other. */
  readonly kernel: readonly KernelStep[];
  /** What must not wait while something is settled: applications frozen for a snapshot. Never throws. */
  readonly abandon?: () => void;
  /** Committed as the outcome; `transactionId` is what the kernel made things with. */
  readonly end: (writer: CatalogWriter, transactionId: number) => Outcome;
}

export interface KernelStep {
  readonly name: string;
  readonly run: () => void;
}

/**
 * The only way to change what a pool holds: the intent is committed, the transaction id moves by one, the kernel is
 * asked, the outcome is committed. The id moves first, so that what the kernel makes carries an id that nothing made
 * before can have: recovery knows its own by it. What fails is taken back by the same rule as at start: see `settle`.
 */
export class Transitions {
  readonly #catalog: Catalog;
  readonly #device: ThinPoolDevice;
  readonly #listLive: () => Promise<readonly ThinListing[]>;
  readonly #observe: StepObserver;
  readonly #logger: Logger;
  #isHeld = false;

  constructor(parts: { catalog: Catalog; device: ThinPoolDevice; listLive: () => Promise<readonly ThinListing[]>; observe: StepObserver; logger: Logger }) {
    this.#catalog = parts.catalog;
    this.#device = parts.device;
    this.#listLive = parts.listLive;
    this.#observe = parts.observe;
    this.#logger = parts.logger;
  }

  async run<Outcome>(plan: TransitionPlan<Outcome>): Promise<Outcome> {
    if (this.#catalog.intent !== undefined) plan.abandon?.();
    await this.settleOpen();
    const from = this.#catalog.identity.transactionId;
    const to = from + 1;
    const step = <Result>(name: string, run: () => Result): Result => this.#step(plan.kind, name, run);
    step("intent", () =>
      this.#catalog.change((writer) => {
        writer.openIntent({ kind: plan.kind, from, ids: plan.ids, numbers: plan.numbers });
        plan.begin?.(writer);
      }),
    );
    try {
      step("transaction-id", () => this.#device.setTransactionId(from, to));
      for (const { name, run } of plan.kernel) step(name, run);
      this.#requireDurable(to);
      return step("outcome", () =>
        this.#catalog.change((writer) => {
          writer.setTransactionId(to);
          writer.closeIntent();
          return plan.end(writer, to);
        }),
      );
    } catch (error) {
      plan.abandon?.();
      await this.#settleAfter(error);
      throw error;
    }
  }

  /**
   * While applications are frozen: nothing is settled then, since it may take seconds, and they would wait behind it.
   * Who would need it is refused until `release`. Called within a turn, so that no settling is under way.
   */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** At start. What cannot be settled in the state that the pool is in waits: what it holds can be used meanwhile. Throws "pool-refused". */
  async recover(): Promise<void> {
    const { state } = this.#device.figures();
    try {
      if (state !== "Fail" && state !== "Error") await this.settle();
    } catch (error) {
      if (isError(error, "pool-refused")) throw error;
      this.#logger.error("an interrupted transition could not be settled yet", { error });
    }
  }

  /** Settles what an earlier failure left open, as far as the pool can be written. Nothing to do is the rule. */
  async settleOpen(): Promise<void> {
    if (this.#catalog.intent === undefined) return;
    if (this.#isHeld) throw this.#waiting();
    this.requireWritable();
    await this.settle();
  }

  /** Throws "pool-not-writable" when the kernel would refuse any change: then nothing need be begun. */
  requireWritable(): void {
    const { state } = this.#device.figures();
    if (!isWritable(state)) throw new DmthinError({ code: "pool-not-writable", pool: this.#catalog.identity.name, state });
  }

  /**
   * Brings an intent that has no outcome to an end. The kernel still at `from`: nothing was done. One further: thin
   * devices with the intent's number and with the id that the transition moved to are its own, and go; others with that
   * number are a stranger's, and stay. Removals need no more: what is `deleting` is removed again. Any other id: "pool-refused".
   */
  async settle(): Promise<void> {
    const { intent, identity } = this.#catalog;
    const kernel = this.#device.figures().transactionId;
    requireSamePool(identity, kernel, intent);
    if (intent === undefined) return;
    if (kernel !== intent.from && intent.kind !== "remove" && intent.numbers.length > 0) await this.#removeOwn(intent, kernel);
    this.#catalog.change((writer) => {
      writer.setTransactionId(kernel);
      writer.closeIntent();
    });
    this.#logger.info("settled an interrupted transition", {
      kind: intent.kind,
      ids: intent.ids,
      numbers: intent.numbers,
      kernelHadMoved: kernel !== intent.from,
    });
  }

  async #removeOwn(intent: Intent, transactionId: number): Promise<void> {
    for (const { number, transactionId: madeAt, mappedChunks } of await this.#listLive()) {
      if (!intent.numbers.includes(number) || madeAt !== transactionId) continue;
      if (intent.kind === "create" && mappedChunks > 0) {
        this.#logger.warn("left a thin device alone: it carries our transaction id, and holds data", { number, mappedChunks });
        continue;
      }
      this.#step("settle", `delete ${number}`, () => this.#device.deleteThin(number));
    }
  }

  /** When the kernel cannot be asked now, the intent stays open, and the next transition or start settles it. */
  async #settleAfter(cause: unknown): Promise<void> {
    if (this.#isHeld) return;
    try {
      await this.settle();
    } catch (error) {
      this.#logger.error("a failed transition could not be taken back yet", { cause, error });
    }
  }

  /** A message can answer 0 while its commit has just failed and the pool has turned read-only. Source: dm-thin.c, pool_message ignores commit()'s result. */
  #requireDurable(transactionId: number): void {
    const { state, transactionId: kernel } = this.#device.figures();
    if (!isWritable(state)) {
      throw new DmthinError({ code: "pool-not-writable", pool: this.#catalog.identity.name, state });
    }
    if (kernel !== transactionId) throw refusedIds(this.#catalog.identity.name, transactionId, kernel);
  }

  #waiting(): DmthinError {
    const reason = "an interrupted change of it is taken back when the snapshot that is being taken is done";
    return new DmthinError({ code: "pool-not-ready", pool: this.#catalog.identity.name, reason });
  }

  #step<Result>(transition: string, name: string, run: () => Result): Result {
    this.#observe(transition, name, "before");
    const result = run();
    this.#observe(transition, name, "after");
    return result;
  }
}

const isWritable = (state: PoolState): boolean => state === "rw" || state === "out_of_data_space";

/** The catalogue's transaction id must be the kernel's, or one behind it with an intent that explains the step. */
export function requireSamePool(identity: { readonly name: string; readonly transactionId: number }, kernel: number, intent: Intent | undefined): void {
  const expected = intent === undefined ? [identity.transactionId] : [intent.from, intent.from + 1];
  if (!expected.includes(kernel)) throw refusedIds(identity.name, identity.transactionId, kernel);
}

function refusedIds(pool: string, catalogId: number, kernelId: number): DmthinError {
  return new DmthinError({
    code: "pool-refused",
    pool,
    reason: `its catalogue is at transaction id ${catalogId} and the kernel's metadata at ${kernelId}: they are not of the same time, or not of the same pool`,
    remedy: "put the catalogue back that belongs to these disks; nothing was changed",
  });
}

/** Tries again while the kernel says that a number is taken: it is a stranger's, never deleted, and never tried again. */
export async function pastForeignNumbers<Result>(logger: Logger, attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      logger.warn("a thin device number is taken by something that is not ours: going on with the next", { error });
    }
  }
}
