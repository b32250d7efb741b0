import { DmthinError, isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Pool } from "../../pool/pool.ts";
import type { Call, Volumes } from "../../volumes/volumes.ts";
import type { MergePatch } from "../api/objects-api.ts";
import { NODE_FINALIZER, type ApiObject } from "../objects/meta.ts";
import type { Carrier } from "./carrier.ts";
import { reasonOf } from "./conditions.ts";
import { decide, type Decision } from "./decide.ts";
import { mergePatch } from "./merge-patch.ts";
import { isPassing } from "./passing.ts";
import type { Store } from "../api/store.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { seePool, type PoolSeen } from "./pool-seen.ts";
import { statusOfFailure, statusOfHeld, statusOfLost, statusOfWaiting, type StatusWanted } from "./status.ts";

/** Tells people of an object, beside its status. */
export interface Recorder {
  event(object: ApiObject, type: "Normal" | "Warning", reason: string, message: string, kind: string): void;
}

export interface ReconcilerParts {
  readonly node: string;
  /** Those of this node; they may come and go. */
  readonly pools: Iterable<Pool>;
  readonly volumes: { within(pool: Pool): Volumes };
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Ends when the driver does. */
  readonly signal: AbortSignal;
}

/** What changes in a pass: what the API server has told, and whether it has told it in this pass. */
interface Now<Item> {
  readonly item: Item;
  readonly isLive: boolean;
}

type Next<Item> = Now<Item> | "settled" | "again";

/** The API server's answer is another one than was decided on: in one pass, so often at most. */
const MOST_ROUNDS = 20;
/** How often something is tried before people are told that it has to wait. */
const UNUSUAL_ATTEMPTS = 3;

/**
 * Carries out the objects of one kind. A pass looks at one object, and ends when it is as it should be: whatever was
 * interrupted between any two of its steps, the next pass finds it by the object and the catalogue alone.
 */
export class Reconciler<Item extends PlacedObject> {
  readonly #carrier: Carrier<Item>;
  readonly #store: Store<Item>;
  readonly #parts: ReconcilerParts;

  constructor(carrier: Carrier<Item>, store: Store<Item>, parts: ReconcilerParts) {
    this.#carrier = carrier;
    this.#store = store;
    this.#parts = parts;
  }

  /** Throws what the API server answers, save conflicts. */
  async pass(name: string, attempt: number): Promise<"settled" | "again"> {
    const known = this.#store.cache.items.get(name);
    if (known === undefined) return "settled";
    let now: Now<Item> = { item: known, isLive: false };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const next = await this.#stepPastConflicts(now, attempt);
      if (next === "settled" || next === "again") return next;
      now = next;
    }
    return "again";
  }

  async #stepPastConflicts(now: Now<Item>, attempt: number): Promise<Next<Item>> {
    try {
      return await this.#step(now, attempt);
    } catch (error) {
      if (!isError(error, "api-conflict")) throw error;
      return this.#live(now.item);
    }
  }

  async #step(now: Now<Item>, attempt: number): Promise<Next<Item>> {
    const { item } = now;
    const pool = seePool(this.#parts.pools, item.spec.poolName);
    const decision = this.#decide(item, pool);
    switch (decision.kind) {
      case "leave":
        return "settled";
      case "accept":
        return this.#patch(item, { metadata: { finalizers: [...item.metadata.finalizers, NODE_FINALIZER] } });
      case "release":
        await this.#patch(item, { metadata: { finalizers: item.metadata.finalizers.filter((each) => each !== NODE_FINALIZER) } });
        return "settled";
      case "make":
      case "change":
      case "remove":
        // The cache may be of another time: a volume that was made anew since would be deleted, or one that is gone made again.
        return now.isLive ? this.#work(item, pool, decision.kind, attempt) : this.#live(item);
      case "report":
        await this.#report(item, statusOfHeld(this.#seen(item, pool), { answers: false }));
        return "settled";
      case "lost":
        return this.#lose(item, pool, decision.reason);
      case "fail":
        return this.#fail(item, pool, decision.error, attempt);
      case "wait":
        return this.#wait(item, pool, decision.error, attempt);
    }
  }

  #decide(item: Item, pool: PoolSeen): Decision {
    const view = pool.kind === "open" ? pool.pool.view : undefined;
    const problems = this.#carrier.problems(item);
    const held = view === undefined ? "nothing" : this.#carrier.held(view, item);
    const taken = view === undefined || problems.length > 0 ? undefined : this.#carrier.taken(view, item);
    return decide(item, { node: this.#parts.node, pool, held, problems, taken });
  }

  async #work(item: Item, pool: PoolSeen, what: "make" | "change" | "remove", attempt: number): Promise<Next<Item>> {
    if (pool.kind === "closed") return "again";
    const volumes = this.#parts.volumes.within(pool.pool);
    const call = this.#call(item);
    try {
      if (what === "make") await this.#carrier.make(volumes, item, pool.pool.view, call);
      else if (what === "change") await this.#carrier.change(volumes, item, call);
      else await this.#carrier.remove(volumes, item, pool.pool.view, call);
    } catch (error) {
      if (error instanceof DmthinError && !isPassing(error)) return this.#fail(item, pool, error, attempt);
      this.#parts.logger.info("what an object asks for has to wait", { ...this.#fields(item), what, error });
      return error instanceof DmthinError ? this.#wait(item, pool, error, attempt) : "again";
    }
    return what === "remove" ? { item, isLive: true } : this.#answer(item);
  }

  async #answer(item: Item): Promise<Next<Item>> {
    const pool = seePool(this.#parts.pools, item.spec.poolName);
    if (pool.kind === "closed" || this.#carrier.facts(pool.pool.view, item) === undefined) return "again";
    return this.#report(item, statusOfHeld(this.#seen(item, pool), { answers: true }));
  }

  async #fail(item: Item, pool: PoolSeen, error: DmthinError, attempt: number): Promise<Next<Item>> {
    const isTerminating = item.metadata.deletionTimestamp !== undefined;
    // The kubelet is often just about to unstage what is deleted.
    if (isTerminating && error.facts.code === "volume-staged" && attempt < UNUSUAL_ATTEMPTS) return "again";
    const wanted = statusOfFailure(this.#seen(item, pool), error);
    const isNews = mergePatch(item.status.failure ?? {}, wanted.failure ?? {}) !== undefined;
    const reported = await this.#report(item, wanted);
    if (isNews) {
      this.#parts.logger.warn("what an object asks for has failed", { ...this.#fields(item), error });
      this.#parts.recorder.event(item, "Warning", reasonOf(error.facts.code), error.message, this.#carrier.kind);
    }
    // Nobody takes a deletion back: it is tried until it is done.
    return isTerminating && reported !== "settled" ? "again" : reported;
  }

  async #lose(item: Item, pool: PoolSeen, reason: "absent" | "other-pool"): Promise<Next<Item>> {
    const wanted = statusOfLost(this.#seen(item, pool), reason);
    const isNews = mergePatch(item.status, wanted) !== undefined;
    await this.#report(item, wanted);
    if (isNews) {
      const message = wanted.conditions.find(({ type }) => type === "Lost")?.message ?? "";
      this.#parts.logger.error("an object's pool does not have what it should", { ...this.#fields(item), reason });
      this.#parts.recorder.event(item, "Warning", "Lost", message, this.#carrier.kind);
    }
    return "settled";
  }

  async #wait(item: Item, pool: PoolSeen, error: DmthinError, attempt: number): Promise<Next<Item>> {
    if (attempt >= UNUSUAL_ATTEMPTS) await this.#report(item, statusOfWaiting(this.#seen(item, pool), error));
    return "again";
  }

  #seen(item: Item, pool: PoolSeen) {
    return { carrier: this.#carrier, item, pool, now: new Date() };
  }

  /** Writes what has changed, if anything has. */
  async #report(item: Item, wanted: StatusWanted): Promise<Next<Item>> {
    const status = mergePatch(item.status, wanted);
    return status === undefined ? { item, isLive: false } : this.#patch(item, { status }, "status");
  }

  /** Of exactly what was decided on. "settled": it is gone. */
  async #patch(item: Item, patch: MergePatch, subresource?: "status"): Promise<Next<Item>> {
    const { name, uid, resourceVersion } = item.metadata;
    const preconditions = { uid, resourceVersion };
    const patched = await this.#store.api.patch(
      name,
      patch,
      subresource === undefined ? { preconditions } : { subresource, preconditions },
      this.#parts.signal,
    );
    return this.#told(patched);
  }

  async #live({ metadata }: Item): Promise<Next<Item>> {
    return this.#told(await this.#store.api.get(metadata.name, this.#parts.signal));
  }

  #told(answer: Item | undefined): Next<Item> {
    // A name that is used again may be another node's: that one is none of ours, and not for our cache.
    if (answer === undefined || answer.spec.nodeName !== this.#parts.node) return "settled";
    this.#store.cache.note(answer);
    return { item: answer, isLive: true };
  }

  #call({ metadata }: Item): Call {
    return { signal: this.#parts.signal, deadline: undefined, requestId: `${metadata.name}/${metadata.generation}` };
  }

  #fields({ metadata, spec }: Item) {
    return { kind: this.#carrier.kind, object: metadata.name, name: spec.name, pool: spec.poolName };
  }
}
