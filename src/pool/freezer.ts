import type { ThinRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { bytes, chunks, chunksToBytes, formatBytes, MiB } from "../units.ts";
import { requireRoom, requireWritable } from "./admission.ts";
import { Mailbox } from "./mailbox.ts";
import { readyThin } from "./records.ts";
import type { Workbench } from "./workbench.ts";

const SYNC_DEADLINE_MS = 60_000;
const LOOK_MS = 1_000;
/** Writes that are queued for space hold a suspend up, and applications must not stay frozen for long because of it. */
const SUSPEND_DEADLINE_MS = 10_000;
/** How much room a snapshot needs for each byte in memory. */
const MARGIN = 2;
/** And for what writers add until the filesystem is frozen; of a small pool a tenth. */
const SURGE = bytes(16 * MiB);
const SURGE_PART = 10;
/** From one attempt to resume what the kernel would not resume to the next. */
const RETRY_MS = 1_000;

/** Resumes what is frozen. May be called more than once, and never throws: what cannot be resumed now is tried until it is. */
export type Thaw = () => void;

/** Freezes origins in use while they are copied: all suspended, then all snapped, then all resumed. Whatever is suspended is owed its resume. */
export class Freezer {
  readonly #bench: Workbench;
  /** How often each is armed with the dead man's handle for a resume that did not come to be. */
  readonly #owed = new Map<string, number>();
  /** One filesystem at a time, as they share the pool's disks, and so that what hangs takes one thread. */
  readonly #writing = new Mailbox();
  #timer: NodeJS.Timeout | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /**
   * Runs `work` while every origin that is active is suspended, its filesystem flushed and frozen. `work` thaws as soon
   * as the kernel has what it needs; in any case they are thawed when it has ended. What is still being suspended at the
   * deadline is resumed when the kernel lets go of it, however late; until then it keeps the gate.
   */
  async whileFrozen<Result>(originIds: readonly string[], work: (thaw: Thaw) => Promise<Result>): Promise<Result> {
    await this.#writeOut(originIds);
    const answer = Promise.withResolvers<Result>();
    void this.#bench.gate.run(async () => {
      const late: Promise<unknown>[] = [];
      answer.resolve(this.#frozen(originIds, work, late));
      await answer.promise.catch(() => undefined);
      await Promise.all(late);
    });
    return answer.promise;
  }

  /** Runs what suspends a device and resumes it itself, as a new table does. */
  guard<Result>(id: string, work: () => Result): Result {
    this.#bench.parts.deadMan.arm([this.#bench.thins.uuidOf(id)]);
    try {
      return work();
    } finally {
      this.#thaw(new Set([id]));
    }
  }

  /** What is still owed is left to the dead man's handle, or to the next start. */
  end(): void {
    clearInterval(this.#timer);
  }

  async #frozen<Result>(originIds: readonly string[], work: (thaw: Thaw) => Promise<Result>, late: Promise<unknown>[]): Promise<Result> {
    const active = this.#inUse(originIds);
    if (active.length === 0) return work(() => undefined);
    await this.#prepare();
    const frozen = new Set<string>();
    const thaw = (): void => {
      this.#thaw(frozen);
      this.#bench.transitions.release();
    };
    try {
      for (const { id } of active) await this.#freeze(id, frozen, late);
      return await work(thaw);
    } finally {
      thaw();
    }
  }

  #inUse(ids: readonly string[]): readonly ThinRecord[] {
    return ids.map((id) => readyThin(this.#bench.catalog.thins, id)).filter(({ id }) => this.#bench.thins.info(id)?.hasActiveTable === true);
  }

  /**
   * What is written out before the suspend need not be written while applications are frozen. Not under the gate: in a
   * pool that is full it may wait for room, and growth, which makes room, takes the gate.
   */
  async #writeOut(originIds: readonly string[]): Promise<void> {
    const origins = this.#inUse(originIds);
    if (origins.length > 0) this.#requireRoom();
    for (const origin of origins) await this.#writing.run(async () => this.#sync(origin));
  }

  /** In a turn, so that nothing is being settled when the freeze begins, and nothing is until it ends. */
  async #prepare(): Promise<void> {
    const { mailbox, transitions } = this.#bench;
    await mailbox.run(async () => {
      await transitions.settleOpen();
      this.#requireRoom();
      this.#requireRoomForUnwritten();
      transitions.hold();
    });
  }

  #requireRoom(): void {
    requireRoom(this.#bench.parts.description, this.#bench.publishFigures());
  }

  /**
   * What is in memory is written while a device is being suspended. If that waited for room, it would wait for growth, and
   * growth for the suspend, until the kernel fails the writes. More comes in until the filesystem is frozen.
   */
  #requireRoomForUnwritten(): void {
    const { data, chunkSize, queuesWhenFull } = this.#bench.publishFigures();
    const freeBytes = chunksToBytes(chunks(data.total - data.used), chunkSize);
    const unwrittenBytes = this.#bench.parts.unwrittenBytes?.() ?? 0;
    const surgeBytes = Math.min(SURGE, chunksToBytes(data.total, chunkSize) / SURGE_PART);
    if (!queuesWhenFull || unwrittenBytes * MARGIN + surgeBytes <= freeBytes) return;
    const reason = `${formatBytes(unwrittenBytes)} wait in memory to be written, more may come, and it has ${formatBytes(freeBytes)} free: too little for a snapshot now`;
    throw new DmthinError({ code: "pool-not-ready", pool: this.#bench.parts.description.name, reason });
  }

  /** Until it has ended, or the pool turns out to be full meanwhile: then it may take as long as nobody makes room. */
  async #sync(origin: ThinRecord): Promise<void> {
    if (origin.kind !== "volume" || origin.staging?.capability.access !== "mount") return;
    const { promise: full, reject } = Promise.withResolvers<never>();
    const looking = setInterval(() => {
      try {
        requireWritable(this.#bench.parts.description.name, this.#bench.device.figures());
      } catch (error) {
        reject(error);
      }
    }, LOOK_MS);
    try {
      await Promise.race([this.#bench.parts.slow.syncFilesystem(origin.staging.path, SYNC_DEADLINE_MS).done, full]);
    } finally {
      clearInterval(looking);
    }
  }

  async #freeze(id: string, frozen: Set<string>, late: Promise<unknown>[]): Promise<void> {
    const { parts, thins } = this.#bench;
    const uuid = thins.uuidOf(id);
    parts.deadMan.arm([uuid]);
    parts.observe("freeze", `suspend ${id}`, "before");
    const call = parts.slow.suspend(uuid, SUSPEND_DEADLINE_MS);
    try {
      await call.done;
      frozen.add(id);
    } catch (error) {
      late.push(call.outcome.then(() => this.#thaw(new Set([id]))));
      throw error;
    }
    parts.observe("freeze", `suspend ${id}`, "after");
  }

  #thaw(frozen: Set<string>): void {
    for (const id of frozen) {
      frozen.delete(id);
      this.#release(id, 1);
    }
  }

  /** Resumes what was armed so often; what is owed of it from before is settled too. */
  #release(id: string, times: number): void {
    const armed = times + (this.#owed.get(id) ?? 0);
    try {
      this.#resume(id);
      this.#bench.parts.deadMan.disarm(Array.from({ length: armed }, () => this.#bench.thins.uuidOf(id)));
      this.#owed.delete(id);
    } catch (error) {
      this.#owe(id, armed, error);
    }
  }

  #resume(id: string): void {
    const { parts, thins } = this.#bench;
    const info = thins.info(id);
    if (info?.suspended !== true || !info.hasActiveTable) return;
    parts.observe("freeze", `resume ${id}`, "before");
    thins.resume(id);
    parts.observe("freeze", `resume ${id}`, "after");
  }

  #owe(id: string, armed: number, error: unknown): void {
    if (!this.#owed.has(id)) this.#bench.parts.logger.error("a device could not be resumed: trying again until it can", { id, error });
    this.#owed.set(id, armed);
    this.#timer ??= setInterval(() => [...this.#owed.keys()].forEach((each) => this.#release(each, 0)), RETRY_MS).unref();
  }
}
