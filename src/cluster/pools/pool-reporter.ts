import { release } from "node:os";
import type { Logger } from "../../logger.ts";
import type { Pool } from "../../pool/pool.ts";
import type { NodeThinPoolStatus } from "../objects/node-thin-pool.ts";
import type { NodePools } from "./node-pools.ts";
import type { PoolEvents } from "./pool-events.ts";
import type { PoolObjects } from "./pool-objects.ts";
import { statusOf } from "./pool-status.ts";

/** In memory only: what is written is what has changed. */
const LOOK_MS = 1_000;

export interface PoolReporterOptions {
  readonly pools: Pick<NodePools, "seen" | "isKnown">;
  readonly objects: PoolObjects;
  readonly events: PoolEvents;
  /** What the cluster has no object of in a pool; undefined while that is not known. */
  readonly unclaimed: (pool: Pool) => readonly string[] | undefined;
  readonly driverVersion: string;
  readonly logger: Logger;
  readonly lookMs?: number;
}

/** Tells the cluster how this node's pools are. */
export class PoolReporter {
  readonly #options: PoolReporterOptions;
  readonly #timer: NodeJS.Timeout;
  /** Pools of which it has been told that another process has them. */
  readonly #locked = new Set<string>();

  constructor(options: PoolReporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), options.lookMs ?? LOOK_MS).unref();
  }

  look(): void {
    const { pools, objects, events, unclaimed, driverVersion, logger } = this.#options;
    const seen = pools.seen();
    for (const [name, each] of seen) {
      try {
        const before = objects.statusOf(name);
        const known = each.pool === undefined ? [] : (unclaimed(each.pool) ?? before.unclaimed);
        const status = statusOf({ ...each, unclaimed: known }, { before, now: new Date(), driverVersion, kernelVersion: release() });
        if (this.#isForUs(name, each.pool, { before, status })) objects.tell(name, status);
        const object = objects.object(name);
        if (each.pool !== undefined) events.look(each.pool, object);
        if (each.refusal !== undefined) events.refused(name, each.refusal, object);
      } catch (error) {
        logger.error("how a pool is could not be told", { pool: name, error });
      }
    }
    if (!pools.isKnown) return;
    for (const name of objects.told) {
      if (seen.has(name)) continue;
      objects.withdraw(name);
      events.forget(name);
    }
  }

  /** Who has the pool's lock may be another driver of this node, whose word it is then: told once, and not over what that says. */
  #isForUs(name: string, pool: Pool | undefined, { before, status }: { readonly before: NodeThinPoolStatus; readonly status: NodeThinPoolStatus }): boolean {
    if (pool?.view.status.kind !== "locked") {
      this.#locked.delete(name);
      return true;
    }
    if (before.phase === status.phase && before.message === status.message) this.#locked.add(name);
    return !this.#locked.has(name);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#options.objects.close();
  }
}
