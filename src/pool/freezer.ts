import type { ThinRecord } from "../catalog/records.ts";
import { requireRoom } from "./admission.ts";
import { readyThin } from "./records.ts";
import type { Workbench } from "./workbench.ts";

const SYNC_DEADLINE_MS = 60_000;
/** Writes that are queued for space hold a suspend up, and applications must not stay frozen for long because of it. */
const SUSPEND_DEADLINE_MS = 10_000;
/** From one attempt to resume what the kernel would not resume to the next. */
const RETRY_MS = 1_000;

/** Resumes what is frozen. May be called more than once, and never throws: what cannot be resumed now is tried until it is. */
export type Thaw = () => void;

/** Freezes origins in use while they are copied: all suspended, then all snapped, then all resumed. Whatever is suspended is owed its resume. */
export class Freezer {
  readonly #bench: Workbench;
  readonly #owed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /**
   * Runs `work` while every origin that is active is suspended, its filesystem flushed and frozen. `work` thaws as soon
   * as the kernel has what it needs; in any case they are thawed when it has ended. What is still being suspended at the
   * deadline is resumed when the kernel lets go of it, however late.
   */
  async whileFrozen<Result>(originIds: readonly string[], work: (thaw: Thaw) => Promise<Result>): Promise<Result> {
    return this.#bench.gate.run(async () => {
      const origins = originIds.map((id) => readyThin(this.#bench.catalog.thins, id));
      const active = origins.filter(({ id }) => this.#bench.thins.info(id)?.hasActiveTable === true);
      if (active.length === 0) return work(() => undefined);
      await this.#bench.mailbox.run(async () => this.#bench.transitions.settleOpen());
      this.#requireRoom();
      for (const origin of active) await this.#sync(origin);
      this.#requireRoom();
      const frozen = new Set<string>();
      const thaw = (): void => this.#thaw(frozen);
      try {
        for (const { id } of active) await this.#freeze(id, frozen);
        return await work(thaw);
      } finally {
        thaw();
      }
    });
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

  #requireRoom(): void {
    requireRoom(this.#bench.parts.description, this.#bench.publishFigures());
  }

  /** What is written out before the suspend need not be written while applications are frozen. */
  async #sync(origin: ThinRecord): Promise<void> {
    if (origin.kind !== "volume" || origin.staging?.capability.access !== "mount") return;
    await this.#bench.parts.slow.syncFilesystem(origin.staging.path, SYNC_DEADLINE_MS).done;
  }

  async #freeze(id: string, frozen: Set<string>): Promise<void> {
    const { parts, thins } = this.#bench;
    const uuid = thins.uuidOf(id);
    parts.deadMan.arm([uuid]);
    parts.observe("freeze", `suspend ${id}`, "before");
    const call = parts.slow.suspend(uuid, SUSPEND_DEADLINE_MS);
    try {
      await call.done;
      frozen.add(id);
    } catch (error) {
      void call.outcome.then(() => this.#thaw(new Set([id])));
      throw error;
    }
    parts.observe("freeze", `suspend ${id}`, "after");
  }

  #thaw(frozen: Set<string>): void {
    for (const id of frozen) {
      frozen.delete(id);
      try {
        this.#resume(id);
      } catch (error) {
        this.#owe(id, error);
      }
    }
  }

  #resume(id: string): void {
    const { parts, thins } = this.#bench;
    const info = thins.info(id);
    if (info?.suspended === true && info.hasActiveTable) {
      parts.observe("freeze", `resume ${id}`, "before");
      thins.resume(id);
      parts.observe("freeze", `resume ${id}`, "after");
    }
    parts.deadMan.disarm([thins.uuidOf(id)]);
    this.#owed.delete(id);
  }

  #owe(id: string, error: unknown): void {
    if (!this.#owed.has(id)) this.#bench.parts.logger.error("a device could not be resumed: trying again until it can", { id, error });
    this.#owed.add(id);
    this.#timer ??= setInterval(() => this.#thaw(new Set(this.#owed)), RETRY_MS).unref();
  }
}
