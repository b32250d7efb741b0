import { DmthinError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import { mountedOf, requireDiscards, type TrimOutcome } from "./trim-mounted.ts";

export interface TrimWanted {
  readonly id: string;
  readonly pool: string;
}

/** One that waits for its place. */
export interface TrimRequest extends TrimWanted {
  readonly ended: PromiseWithResolvers<TrimOutcome>;
}

/** What was asked for and has not begun, in the order in which it was. */
export class TrimRequests {
  readonly #waiting = new Set<TrimRequest>();

  /** Who asks for what waits already has its answer. What runs is no answer: it may have been past what was deleted since. */
  add({ id, pool }: TrimWanted): TrimRequest {
    const same = [...this.#waiting].find((each) => each.id === id && each.pool === pool);
    if (same !== undefined) return same;
    const request = { id, pool, ended: Promise.withResolvers<TrimOutcome>() };
    request.ended.promise.catch(() => undefined); // who asked may have gone
    this.#waiting.add(request);
    return request;
  }

  of(pool: string): readonly TrimRequest[] {
    return [...this.#waiting].filter((each) => each.pool === pool);
  }

  take(request: TrimRequest): void {
    this.#waiting.delete(request);
  }

  /** Answers those that cannot be done any more. */
  settle(pools: readonly Pool[]): void {
    for (const request of this.#waiting) {
      const hindrance = hindranceOf(pools, request);
      if (hindrance === undefined) continue;
      this.take(request);
      if (hindrance instanceof DmthinError) request.ended.reject(hindrance);
      else request.ended.resolve(hindrance);
    }
  }

  close(): void {
    for (const { ended } of this.#waiting) ended.reject(new DmthinError({ code: "shutting-down" }));
    this.#waiting.clear();
  }
}

/** undefined: it can be done. */
function hindranceOf(pools: readonly Pool[], { id, pool: name }: TrimWanted): DmthinError | TrimOutcome | undefined {
  const pool = pools.find(({ description }) => description.name === name);
  if (pool === undefined) return new DmthinError({ code: "not-found", kind: "pool", id: name });
  try {
    requireDiscards(pool);
  } catch (error) {
    if (error instanceof DmthinError) return error;
    throw error;
  }
  const record = pool.view.thins.get(id);
  if (record === undefined) return new DmthinError({ code: "not-found", kind: "volume", id });
  const mounted = mountedOf(record);
  return typeof mounted === "string" ? { leftAlone: mounted } : undefined;
}
