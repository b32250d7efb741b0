import type { ThinRecord } from "../catalog/records.ts";
import { DmthinError, isErrno, isError } from "../errors.ts";
import { bytes, MiB, type Bytes } from "../units.ts";
import type { DeletionDelay } from "./pool-calls.ts";
import type { CatalogWriter } from "../catalog/catalog.ts";
import type { Workbench } from "./workbench.ts";

/** A device that was closed just now is free in a moment; one that somebody holds can take days. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Other calls of the pool run between two slices. */
const DISCARD_SLICE_BYTES = bytes(256 * MiB);
const DISCARD_DEADLINE_MS = 60_000;

/**
 * Deletion in two parts: the catalogue's, which is what the caller is answered, and the kernel's, which follows at once
 * where it can, and later where a device is still open or the pool cannot be written.
 */
export class Deletions {
  readonly #bench: Workbench;
  readonly #underWay = new Map<string, Promise<void>>();
  /** What waits, and why: told once. */
  readonly #delays = new Map<string, DeletionDelay>();
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Takes up what an earlier life left, and whatever has to wait from now on. */
  begin(): void {
    void this.#reapAll();
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await Promise.allSettled(this.#underWay.values());
  }

  /** Durable when it answers. Unknown ids are success; ids that are being deleted already too. */
  async remove(ids: readonly string[], groupId: string | undefined): Promise<void> {
    const records = await this.#bench.mailbox.run(() => this.#mark(ids, groupId));
    this.#retryMs = FIRST_RETRY_MS;
    for (const { id } of records) await this.#reap(id);
  }

  /** The kernel's part for a record that is marked already, as far as it can be done now. */
  async carryOut(id: string): Promise<void> {
    this.#retryMs = FIRST_RETRY_MS;
    await this.#reap(id);
  }

  #mark(ids: readonly string[], groupId: string | undefined): readonly ThinRecord[] {
    const { catalog, publish, parts } = this.#bench;
    const records = ids.flatMap((id) => catalog.thins.get(id) ?? []).filter(({ state }) => state === "ready");
    for (const record of records) {
      if (record.kind === "volume" && record.staging !== undefined) throw new DmthinError({ code: "volume-staged", id: record.id, path: record.staging.path });
    }
    const deleting = records.map((record) => ({ ...record, state: "deleting" as const }));
    parts.observe("remove", "mark", "before");
    catalog.change((writer) => {
      for (const record of deleting) writer.putThin(record);
      if (groupId !== undefined) writer.removeGroup(groupId);
    });
    parts.observe("remove", "mark", "after");
    for (const record of deleting) publish({ kind: "thin", record });
    if (groupId !== undefined) publish({ kind: "group-gone", id: groupId });
    return deleting;
  }

  #retryLater(): void {
    if (this.#ended || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      void this.#reapAll();
    }, this.#retryMs).unref();
  }

  async #reapAll(): Promise<void> {
    for (const { id, state } of this.#bench.catalog.thins.values()) {
      if (this.#ended) return;
      if (state === "deleting") await this.#reap(id);
    }
  }

  /** Never rejects: what cannot be done now is tried again. */
  #reap(id: string): Promise<void> {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const work = this.#try(id).finally(() => {
      this.#underWay.delete(id);
      if (this.#bench.catalog.thins.get(id)?.state === "deleting") this.#retryLater();
      else this.#delays.delete(id);
    });
    this.#underWay.set(id, work);
    return work;
  }

  async #try(id: string): Promise<void> {
    try {
      if ((await this.#delete(id)) === "held-open") this.#delay(id, "held-open", undefined);
    } catch (error) {
      this.#delay(id, delayOf(error), error);
    }
  }

  #delay(id: string, delay: DeletionDelay, error: unknown): void {
    const isNews = this.#delays.get(id) !== delay;
    if (isNews || delay === "failed") this.#bench.parts.logger[delay === "failed" ? "error" : "info"]("a deletion has to wait", { id, delay, error });
    if (isNews) this.#bench.publish({ kind: "deletion-delayed", id, delay });
    this.#delays.set(id, delay);
  }

  async #delete(id: string): Promise<"gone" | "held-open"> {
    const { mailbox, thins } = this.#bench;
    const record = await mailbox.run(() => this.#closed(id));
    if (record === "gone" || record === "held-open") return record;
    if (this.#wantsDiscard(record)) await this.#discard(record);
    if (this.#ended) return "gone"; // for this life: the next start takes it up
    return mailbox.run(async () => {
      if (thins.deactivate(id) === "deferred") return "held-open";
      await this.#deleteThin(record);
      return "gone";
    });
  }

  /** The record, once its device is gone from the kernel. Throws "pool-not-writable" when it could not be deleted then. */
  #closed(id: string): ThinRecord | "gone" | "held-open" {
    const record = this.#bench.catalog.thins.get(id);
    if (record?.state !== "deleting") return "gone";
    if (this.#bench.thins.deactivate(id) === "deferred") return "held-open";
    this.#bench.transitions.requireWritable();
    return record;
  }

  /** Deleting gives blocks back to the pool anyway: discarding first gives them back to the disk below. */
  #wantsDiscard(record: ThinRecord): boolean {
    const wanted = record.kind === "volume" ? record.parameters.discardOnDelete : this.#bench.parts.description.discardOnDelete;
    return wanted && this.#bench.publishFigures().discardPassdown;
  }

  /** Costs nothing but time when it fails: the blocks are the pool's again all the same. A stop does not wait for it: the next start begins anew. */
  async #discard(record: ThinRecord): Promise<void> {
    const { mailbox, thins, parts } = this.#bench;
    try {
      // Its device is gone, and nobody else makes it anew: so none is found that would be suspended.
      const device = await mailbox.run(() => thins.activate(record, { readOnly: false }));
      if (device.empty) return;
      for (let from = 0; from < record.sizeBytes && !this.#ended; from += DISCARD_SLICE_BYTES) {
        const length = Math.min(DISCARD_SLICE_BYTES, record.sizeBytes - from) as Bytes;
        await parts.slow.discard(device.path, bytes(from), length, DISCARD_DEADLINE_MS).done;
      }
    } catch (error) {
      parts.logger.warn("a deleted volume's blocks were not given back to the disk below", { id: record.id, error });
    }
  }

  async #deleteThin(record: ThinRecord): Promise<void> {
    const { transitions, device, publish, publishFigures } = this.#bench;
    await transitions.run({
      kind: "remove",
      ids: [record.id],
      numbers: [record.number],
      kernel: [{ name: "delete", run: () => ignoringAbsence(() => device.deleteThin(record.number)) }],
      end: (writer: CatalogWriter) => writer.removeThin(record.id),
    });
    publish({ kind: "thin-gone", id: record.id });
    publishFigures();
  }
}

function delayOf(error: unknown): DeletionDelay {
  if (isErrno(error, "EBUSY")) return "held-open";
  return isError(error, "pool-not-writable") ? "pool-not-writable" : "failed";
}

/** Somebody deleted it behind our back: that was the aim. */
function ignoringAbsence(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!isErrno(error, "ENODATA")) throw error;
  }
}
