import { isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Lease } from "../objects/core.ts";
import { pause } from "./backoff.ts";
import type { ObjectsApi } from "./objects-api.ts";

export interface LeadershipOptions {
  /** Of the driver's namespace. */
  readonly leases: ObjectsApi<Lease>;
  readonly name: string;
  /** Of this process alone: a pod's name is not enough, its containers restart. */
  readonly identity: string;
  readonly logger: Logger;
  /** How long others leave a leader that says nothing alone. Default 30. */
  readonly durationSeconds?: number;
  /** How often a leader says that it is there, and others look. Default 10,000. */
  readonly renewMs?: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** A leader that could not renew for this part of the duration stops: its work has the rest of it to end. */
const PATIENCE = 2 / 3;
/** Of the time between two renewals: so long may one of them take, and so soon is one that failed tried again. One that hangs does not cost the lease. */
const RENEWAL = 1 / 2;
const AGAIN = 1 / 5;

/**
 * One process at a time works, of all that run with one name. A lease is another's as long as it keeps changing: clocks
 * are not compared. Source: coordination.k8s.io/v1; client-go, leaderelection.
 */
export class Leadership {
  readonly #options: Required<LeadershipOptions>;
  #seen: { readonly version: string; readonly at: number } | undefined;
  #isAway = false;

  constructor(options: LeadershipOptions) {
    this.#options = { durationSeconds: 30, renewMs: 10_000, now: () => performance.now(), ...options };
  }

  /**
   * Runs the work whenever this process leads, until the signal; the work's own signal ends it when the leadership is
   * lost, too. Work that fails is begun anew, by whoever leads then. Resolves when all has ended and the lease is given back.
   */
  async run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { logger, identity } = this.#options;
    while (!signal.aborted) {
      const lease = await this.#acquire(signal);
      if (lease !== undefined) {
        logger.info("this controller leads", { identity });
        await this.#lead(lease, work, signal);
      }
      await this.#rest(signal);
    }
  }

  async #lead({ lease, since }: Held, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const ending = new AbortController();
    const renewing = this.#renew({ lease, since }, AbortSignal.any([signal, ending.signal]), () => ending.abort(new Error("the lease is lost")));
    try {
      await work(AbortSignal.any([signal, ending.signal]));
    } catch (error) {
      if (!signal.aborted && !ending.signal.aborted) logger.error("what the leader does has failed", { error });
    }
    ending.abort(new Error("the work has ended"));
    await this.#release(await renewing);
  }

  /** Until the signal, or until the lease is lost. Answers it as it was last, undefined when it is another's. */
  async #renew(held: Held, signal: AbortSignal, onLost: () => void): Promise<Lease | undefined> {
    const { now, durationSeconds, renewMs, logger } = this.#options;
    let { lease, since } = held;
    let restMs = renewMs;
    // Neither a pause nor a request that hangs goes beyond it: who looks on may take the lease soon afterwards.
    const patienceMs = (): number => since + durationSeconds * 1000 * PATIENCE - now();
    const limitMs = (): number => Math.min(renewMs * RENEWAL, patienceMs());
    for (;;) {
      await this.#rest(signal, restMs, patienceMs());
      if (signal.aborted) return lease;
      if (patienceMs() <= 0) return lost("the lease could not be renewed in time");
      const asked = now();
      const renewed = await this.#attempt(async (limit) => this.#write(lease, { renewTime: microTime() }, limit), signal, limitMs());
      restMs = renewed === "failed" ? renewMs * AGAIN : renewMs;
      if (renewed === "conflict") {
        const found = await this.#attempt(async (limit) => this.#options.leases.get(this.#options.name, limit), signal, limitMs());
        if (typeof found === "object" && found.spec.holderIdentity === this.#options.identity) lease = found;
        else if (found === "failed") restMs = renewMs * AGAIN;
        else return lost("another holds the lease");
      } else if (renewed === undefined) return lost("the lease was deleted");
      else if (renewed !== "failed") {
        lease = renewed;
        since = asked;
      }
    }
    function lost(reason: string): undefined {
      logger.warn("this controller leads no more", { reason });
      onLost();
    }
  }

  async #acquire(signal: AbortSignal): Promise<Held | undefined> {
    const { leases, name, identity, durationSeconds, now } = this.#options;
    const taken = await this.#attempt(async (limit) => {
      const since = now();
      const found = await leases.get(name, limit);
      const spec = { holderIdentity: identity, leaseDurationSeconds: durationSeconds, acquireTime: microTime(), renewTime: microTime() };
      if (found === undefined) return { lease: await leases.create({ metadata: { name }, spec: { ...spec, leaseTransitions: 0 } }, limit), since };
      if (!this.#isFree(found)) return undefined;
      const lease = await this.#write(found, { ...spec, leaseTransitions: found.spec.leaseTransitions + 1 }, limit);
      return lease === undefined ? undefined : { lease, since };
    }, signal);
    return typeof taken === "object" ? taken : undefined;
  }

  /** Nobody's, ours by a request whose answer was lost, or of one that has not changed it for as long as it had asked for. */
  #isFree({ metadata: { resourceVersion }, spec }: Lease): boolean {
    const { now, durationSeconds, identity } = this.#options;
    if (this.#seen?.version !== resourceVersion) this.#seen = { version: resourceVersion, at: now() };
    const { holderIdentity = "", leaseDurationSeconds = durationSeconds } = spec;
    return holderIdentity === "" || holderIdentity === identity || now() - this.#seen.at > leaseDurationSeconds * 1000;
  }

  /** So that the next one need not wait. */
  async #release(lease: Lease | undefined): Promise<void> {
    if (lease === undefined) return;
    await this.#attempt(async (limit) => this.#write(lease, { holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime() }, limit), undefined);
  }

  async #write({ metadata: { name, uid, resourceVersion } }: Lease, spec: Readonly<Record<string, unknown>>, limit: AbortSignal): Promise<Lease | undefined> {
    return this.#options.leases.patch(name, { spec }, { preconditions: { uid, resourceVersion } }, limit);
  }

  async #attempt<Result>(
    ask: (limit: AbortSignal) => Promise<Result>,
    signal: AbortSignal | undefined,
    mostMs = Infinity,
  ): Promise<Result | "conflict" | "failed"> {
    const limits = [AbortSignal.timeout(Math.max(0, Math.ceil(Math.min(this.#options.renewMs, mostMs)))), ...(signal === undefined ? [] : [signal])];
    try {
      const result = await ask(AbortSignal.any(limits));
      this.#isAway = false;
      return result;
    } catch (error) {
      if (isError(error, "api-conflict")) return "conflict";
      if (signal?.aborted !== true && !this.#isAway) this.#options.logger.warn("the lease cannot be read or written, and is tried again", { error });
      this.#isAway = signal?.aborted !== true;
      return "failed";
    }
  }

  /** With some spread: contenders do not meet at each turn. */
  async #rest(signal: AbortSignal, forMs = this.#options.renewMs, mostMs = Infinity): Promise<void> {
    await pause(Math.min(forMs * (0.8 + Math.random() / 5), Math.max(0, mostMs)), signal).catch(() => undefined);
  }
}

interface Held {
  readonly lease: Lease;
  /** When what made it ours was asked for. */
  readonly since: number;
}

/** Source: metav1.MicroTime. */
export const microTime = (): string => new Date().toISOString().replace("Z", "000Z");
