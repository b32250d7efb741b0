import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError, isErrno } from "../errors.ts";
import type { Filesystems } from "../filesystem/filesystems.ts";
import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";
import { bytes, GiB } from "../units.ts";
import { mountsAt, ofFilesystem } from "./mount-points.ts";
import { mountedOf, requireDiscards, takesDiscards, type Mounted, type TrimOutcome } from "./trim-mounted.ts";
import { dueForTrim } from "./trim-plan.ts";
import { TrimRequests, type TrimRequest, type TrimWanted } from "./trim-requests.ts";

const LOOK_MS = 60_000;
/** What failed, or was not where it should be, is not tried again at each look. */
const AFTER_FAILURE_MS = 3_600_000;
/** While the kernel trims, the mount is busy: an unmount does not wait for more than this part of it. */
const PART_BYTES = bytes(8 * GiB);
const PART_DEADLINE_MS = 600_000;

interface Parts {
  readonly pools: Iterable<Pool>;
  readonly filesystems: Filesystems;
  readonly logger: Logger;
  /** From one look to the next. Default: a minute. */
  readonly lookMs?: number;
}

/**
 * Lets mounted filesystems give back what they do not use, each once an interval and when it is asked for: without that a
 * pool only fills. When each was done is in the catalogue. Takes no lock of a volume: who unmounts, grows or copies one
 * does not wait for it.
 */
export class TrimSchedule {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Map<string, Promise<void>>();
  readonly #failedAt = new Map<string, number>();
  readonly #requests = new TrimRequests();
  readonly #ending = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), parts.lookMs ?? LOOK_MS).unref();
  }

  /** The part that is in the kernel is left to it; who waits for one is answered with "shutting-down". */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ending.abort(new DmthinError({ code: "shutting-down" }));
    this.#requests.close();
  }

  /**
   * Trims one filesystem before those whose turn it is, as soon as its pool has a place. Who gives up by `signal` leaves it to be done.
   * Throws "not-found", "shutting-down", and what its pool says when it does not serve or takes no changes.
   */
  async trim(wanted: TrimWanted, signal: AbortSignal): Promise<TrimOutcome> {
    const enough = AbortSignal.any([signal, this.#ending.signal]);
    enough.throwIfAborted();
    const { promise } = this.#requests.add(wanted).ended;
    this.#look();
    const givenUp = Promise.withResolvers<never>();
    const giveUp = (): void => givenUp.reject(enough.reason);
    enough.addEventListener("abort", giveUp, { once: true });
    return Promise.race([promise, givenUp.promise]).finally(() => enough.removeEventListener("abort", giveUp));
  }

  #look(): void {
    const pools = Array.from(this.#parts.pools);
    for (const id of this.#failedAt.keys()) if (!pools.some(({ view }) => view.thins.has(id))) this.#failedAt.delete(id);
    this.#requests.settle(pools);
    for (const pool of pools) if (takesDiscards(pool)) this.#lookAt(pool);
  }

  /** What was asked for goes first. */
  #lookAt(pool: Pool): void {
    const { trim, name } = pool.description;
    const mayBegin = (id: string): boolean => !this.#running.has(id) && this.#busy(pool) < (trim?.atOnce ?? 1);
    for (const request of this.#requests.of(name)) {
      if (!mayBegin(request.id)) continue;
      this.#requests.take(request);
      this.#begin(pool, request.id, request);
    }
    if (trim === undefined) return;
    for (const id of dueForTrim(this.#candidates(pool), { intervalMs: trim.intervalMs, now: new Date() })) if (mayBegin(id)) this.#begin(pool, id);
  }

  #busy(pool: Pool): number {
    return [...this.#running.keys()].filter((id) => pool.view.thins.has(id)).length;
  }

  #candidates(pool: Pool): readonly VolumeRecord[] {
    const recently = performance.now() - AFTER_FAILURE_MS;
    return [...pool.view.thins.values()].filter(
      (record) => record.kind === "volume" && typeof mountedOf(record) !== "string" && (this.#failedAt.get(record.id) ?? -Infinity) < recently,
    ) as VolumeRecord[];
  }

  #begin(pool: Pool, id: string, request?: TrimRequest): void {
    this.#failedAt.set(id, performance.now()); // until it has succeeded
    const work = this.#trim(pool, id, request)
      .then((outcome) => request?.ended.resolve(outcome))
      .catch((error: unknown) => {
        request?.ended.reject(error);
        if (!this.#ending.signal.aborted) this.#parts.logger.warn("a filesystem could not be trimmed: tried again later", { id, error });
      })
      .finally(() => {
        this.#running.delete(id);
        if (!this.#ending.signal.aborted) this.#look(); // whoever waits for this one's place
      });
    this.#running.set(id, work);
  }
  async #trim(pool: Pool, id: string, request: TrimRequest | undefined): Promise<TrimOutcome> {
    const { filesystems, logger } = this.#parts;
    let trimmedBytes = 0;
    const begun = performance.now();
    const before = request === undefined ? undefined : await pool.calls.mapped(id);
    for (let from = bytes(0); ; from = bytes(from + PART_BYTES)) {
      const mounted = await this.#stillMounted(pool, id);
      if (typeof mounted === "string") return { leftAlone: mounted };
      if (from >= mounted.sizeBytes) break;
      const to = bytes(Math.min(from + PART_BYTES, mounted.sizeBytes));
      try {
        trimmedBytes += await filesystems.trim(mounted.type, mounted.path, { from, to }, PART_DEADLINE_MS);
      } catch (error) {
        if (!isErrno(error, "EOPNOTSUPP")) throw error;
        logger.info("the pool does not take back what filesystems do not use", { id });
        await this.#done(pool, id);
        return { leftAlone: "its pool does not take back what filesystems do not use" };
      }
    }
    await this.#done(pool, id);
    logger.info("a filesystem was trimmed", { id, trimmedBytes, tookMs: Math.round(performance.now() - begun) });
    return { givenBackBytes: before === undefined ? bytes(0) : bytes(Math.max(before - ((await pool.calls.mapped(id)) ?? before), 0)) };
  }

  async #done(pool: Pool, id: string): Promise<void> {
    await pool.calls.setFilesystem(id, { trimmedAt: new Date() });
    this.#failedAt.delete(id);
  }

  /** In words why it cannot be trimmed; throws what its pool says, or that this ends. */
  async #stillMounted(pool: Pool, id: string): Promise<Mounted | string> {
    this.#ending.signal.throwIfAborted();
    requireDiscards(pool);
    const record = pool.view.thins.get(id);
    if (record === undefined) return "it is deleted";
    const mounted = mountedOf(record);
    if (typeof mounted === "string") return mounted;
    const { top } = await mountsAt(this.#parts.filesystems, mounted.path, ofFilesystem(this.#parts.filesystems, id));
    if (top === "ours") return mounted;
    return top === "nothing" ? `nothing is mounted on ${mounted.path}` : `something else is mounted on ${mounted.path}`;
  }
}
