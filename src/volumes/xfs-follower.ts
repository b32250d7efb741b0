import type { VolumeRecord } from "../catalog/records.ts";
import type { Filesystems } from "../filesystem/filesystems.ts";
import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";
import { applyToStaged, xfsRetries } from "./xfs-retries.ts";

/** In the views only: the kernel is asked when something has changed. */
const LOOK_MS = 1_000;

interface FollowerParts {
  readonly pools: Iterable<Pool>;
  readonly filesystems: Filesystems;
  readonly logger: Logger;
}

/**
 * Lets each xfs in use follow its pool, whose writes wait or fail as care finds that it can grow: one that was mounted
 * while they waited would try for ever once they fail, and whoever waits for it with it.
 */
export class XfsFollower {
  readonly #parts: FollowerParts;
  readonly #clock: NodeJS.Timeout;
  /** What each volume that is staged was told, by id. */
  #applied: ReadonlyMap<string, number | "default"> = new Map();
  #underWay: Promise<void> | undefined;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#clock = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  look(): Promise<void> {
    this.#underWay ??= this.#look().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async close(): Promise<void> {
    clearInterval(this.#clock);
    await this.#underWay;
  }

  async #look(): Promise<void> {
    const applied = new Map<string, number | "default">();
    for (const pool of Array.from(this.#parts.pools)) {
      if (pool.view.figures === undefined) continue;
      for (const record of pool.view.thins.values()) {
        if (record.kind !== "volume" || record.filesystem.type !== "xfs" || record.staging === undefined) continue;
        const wanted = xfsRetries(record, pool.view.figures);
        if (this.#applied.get(record.id) === wanted || (await this.#apply(pool, record))) applied.set(record.id, wanted);
      }
    }
    this.#applied = applied;
  }

  /** What fails is tried again at the next look: it may just be unmounted. */
  async #apply(pool: Pool, record: VolumeRecord): Promise<boolean> {
    const { filesystems, logger } = this.#parts;
    try {
      await applyToStaged(filesystems, pool, record);
      return true;
    } catch (error) {
      logger.debug("how long xfs waits for a full pool could not be set", { id: record.id, error });
      return false;
    }
  }
}
