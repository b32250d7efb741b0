import type { VolumeRecord } from "../catalog/records.ts";
import { isErrno } from "../errors.ts";
import type { Filesystems, FilesystemType } from "../filesystem/filesystems.ts";
import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";
import { bytes, GiB, type Bytes } from "../units.ts";
import { isReadOnly } from "./capabilities.ts";
import { mountsAt, ofFilesystem } from "./mount-points.ts";
import { dueForTrim } from "./trim-plan.ts";

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

interface Mounted {
  readonly id: string;
  readonly type: FilesystemType;
  readonly path: string;
  readonly sizeBytes: Bytes;
}

/**
 * Lets mounted filesystems give back what they do not use, each once an interval: without that a pool only fills. When
 * each was done is in the catalogue. Takes no lock of a volume: who unmounts, grows or copies one does not wait for it.
 */
export class TrimSchedule {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Map<string, Promise<void>>();
  readonly #failedAt = new Map<string, number>();
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), parts.lookMs ?? LOOK_MS).unref();
  }

  /** The part that is in the kernel is left to it. */
  async close(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const pools = Array.from(this.#parts.pools);
    for (const id of this.#failedAt.keys()) if (!pools.some(({ view }) => view.thins.has(id))) this.#failedAt.delete(id);
    for (const pool of pools) {
      const { trim } = pool.description;
      if (trim === undefined || !takesDiscards(pool)) continue;
      const due = dueForTrim(this.#candidates(pool), { intervalMs: trim.intervalMs, now: new Date() });
      const busy = [...this.#running.keys()].filter((id) => pool.view.thins.has(id)).length;
      for (const id of due.filter((each) => !this.#running.has(each)).slice(0, Math.max(trim.atOnce - busy, 0))) this.#begin(pool, id);
    }
  }

  #candidates(pool: Pool): readonly VolumeRecord[] {
    const recently = performance.now() - AFTER_FAILURE_MS;
    return [...pool.view.thins.values()].filter(
      (record) => record.kind === "volume" && mountedOf(record) !== undefined && (this.#failedAt.get(record.id) ?? -Infinity) < recently,
    ) as VolumeRecord[];
  }

  #begin(pool: Pool, id: string): void {
    this.#failedAt.set(id, performance.now()); // until it has succeeded
    const work = this.#trim(pool, id)
      .catch((error: unknown) => this.#parts.logger.warn("a filesystem could not be trimmed: tried again later", { id, error }))
      .finally(() => {
        this.#running.delete(id);
        if (!this.#ended) this.#look(); // whoever waits for this one's place
      });
    this.#running.set(id, work);
  }

  async #trim(pool: Pool, id: string): Promise<void> {
    const { filesystems, logger } = this.#parts;
    let trimmedBytes = 0;
    const begun = performance.now();
    for (let from = bytes(0); ; from = bytes(from + PART_BYTES)) {
      const mounted = await this.#stillMounted(pool, id);
      if (mounted === undefined) return;
      if (from >= mounted.sizeBytes) break;
      const to = bytes(Math.min(from + PART_BYTES, mounted.sizeBytes));
      try {
        trimmedBytes += await filesystems.trim(mounted.type, mounted.path, { from, to }, PART_DEADLINE_MS);
      } catch (error) {
        if (!isErrno(error, "EOPNOTSUPP")) throw error;
        logger.info("the pool does not take back what filesystems do not use", { id });
        break;
      }
    }
    await pool.calls.setFilesystem(id, { trimmedAt: new Date() });
    this.#failedAt.delete(id);
    logger.info("a filesystem was trimmed", { id, trimmedBytes, tookMs: Math.round(performance.now() - begun) });
  }

  async #stillMounted(pool: Pool, id: string): Promise<Mounted | undefined> {
    const record = pool.view.thins.get(id);
    const mounted = record?.kind === "volume" ? mountedOf(record) : undefined;
    if (mounted === undefined || this.#ended || !takesDiscards(pool)) return undefined;
    const { top } = await mountsAt(this.#parts.filesystems, mounted.path, ofFilesystem(this.#parts.filesystems, id));
    return top === "ours" ? mounted : undefined;
  }
}

/** Where a volume's filesystem is mounted for writing, as far as its record tells. */
function mountedOf({ id, state, staging, filesystem: { type }, sizeBytes }: VolumeRecord): Mounted | undefined {
  if (state !== "ready" || type === undefined || staging?.capability.access !== "mount" || isReadOnly(staging.capability)) return undefined;
  return { id, type, path: staging.path, sizeBytes };
}

/** A pool that cannot write its metadata cannot give blocks back either. */
const takesDiscards = ({ view: { status, figures } }: Pool): boolean =>
  status.kind === "ready" && (figures?.state === "rw" || figures?.state === "out_of_data_space");
