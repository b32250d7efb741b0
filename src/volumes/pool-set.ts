import type { SnapshotRecord, ThinRecord, VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { PoolFigures } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { isGroupId, isSnapshotId, isVolumeId, kindOfId } from "./ids.ts";

export interface Found<Item> {
  readonly pool: Pool;
  readonly record: Item;
}

export interface KnownElsewhere {
  /** Why it is not known yet which pools there are: then nothing is certainly absent. */
  readonly unknown?: (() => DmthinError | undefined) | undefined;
  /** The uuids by which a pool of that name is on record elsewhere as this machine's. Asked at each question: they are all there no sooner than it is known which pools there are. */
  readonly recordedUuids?: ((pool: string) => readonly string[]) | undefined;
}

/** The pools of this node, and what is in which, as their views tell: no question here asks a pool's actor. */
export class PoolSet {
  readonly #pools: Iterable<Pool>;
  readonly #elsewhere: KnownElsewhere;

  /** `pools` may come and go. */
  constructor(pools: Iterable<Pool>, elsewhere: KnownElsewhere = {}) {
    this.#pools = pools;
    this.#elsewhere = elsewhere;
  }

  get all(): readonly Pool[] {
    return Array.from(this.#pools);
  }

  /** The pool of that name; without one the default pool, or the only one. Throws "invalid-argument". */
  choose(name: string | undefined): Pool {
    const { all } = this;
    const [first] = all;
    const chosen =
      name === undefined
        ? (all.find(({ description }) => description.isDefault) ?? (all.length === 1 ? first : undefined))
        : all.find(({ description }) => description.name === name);
    if (chosen !== undefined) return chosen;
    this.#requireKnown();
    const names = all.length === 0 ? "none" : all.map(({ description }) => description.name).join(", ");
    const problem =
      name === undefined ? `name a pool, since none of them is the default (${names})` : `there is no pool ${JSON.stringify(name)} (there is ${names})`;
    throw new DmthinError({ code: "invalid-argument", problems: [problem] });
  }

  /** Throws "not-found". */
  named(name: string): Pool {
    const pool = this.all.find(({ description }) => description.name === name);
    if (pool !== undefined) return pool;
    this.#requireKnown();
    throw new DmthinError({ code: "not-found", kind: "pool", id: name, known: this.all.map(({ description }) => description.name) });
  }

  /** Also one that is being deleted. Throws when it is not found while some pool cannot tell yet: absence has to be certain. */
  findVolume(id: string): Found<VolumeRecord> | undefined {
    const found = isVolumeId(id) ? this.#find(id) : undefined;
    return found?.record.kind === "volume" ? { pool: found.pool, record: found.record } : undefined;
  }

  /** The same for what ends a use: a pool that never was one here, and is on record nowhere, has nothing in use. */
  findUsed(id: string): Found<VolumeRecord> | undefined {
    const { recordedUuids = () => [] } = this.#elsewhere;
    const wasMade = ({ description: { name }, view: { status } }: Pool): boolean => !("neverMade" in status) || recordedUuids(name).length > 0;
    return new PoolSet(this.all.filter(wasMade), this.#elsewhere).findVolume(id);
  }

  /** As far as the pools tell now: undefined proves nothing. */
  peekVolume(id: string): Found<VolumeRecord> | undefined {
    const found = isVolumeId(id) ? this.#seen(id) : undefined;
    return found?.record.kind === "volume" ? { pool: found.pool, record: found.record } : undefined;
  }

  findSnapshot(id: string): Found<SnapshotRecord> | undefined {
    const found = isSnapshotId(id) ? this.#find(id) : undefined;
    return found?.record.kind === "snapshot" ? { pool: found.pool, record: found.record } : undefined;
  }

  /** Throws "not-found": also for one that is being deleted, which is gone for its users. */
  volume(id: string): Found<VolumeRecord> {
    const found = this.findVolume(id);
    if (found?.record.state !== "ready") throw new DmthinError({ code: "not-found", kind: "volume", id });
    return found;
  }

  snapshot(id: string): Found<SnapshotRecord> {
    const found = this.findSnapshot(id);
    if (found?.record.state !== "ready") throw new DmthinError({ code: "not-found", kind: "snapshot", id });
    return found;
  }

  /** The pool that has the group. */
  findGroup(id: string): Pool | undefined {
    return isGroupId(id) ? this.#holding(({ view }) => view.groups.has(id)) : undefined;
  }

  /** Throws when some pool cannot tell what it holds. */
  requireComplete(): void {
    this.#requireKnown();
    for (const pool of this.all) if (pool.view.status.kind !== "ready") throw notServing(pool);
  }

  /** Throws "in-progress" while what is not there may still come: its creation may have been given up, and go on. */
  requireSettled(id: string): void {
    if (this.all.every(({ view: { unanswered = 0 } }) => unanswered === 0)) return;
    throw new DmthinError({ code: "in-progress", kind: kindOfId(id), id, operation: "what may be the creation" });
  }

  #requireKnown(): void {
    const error = this.#elsewhere.unknown?.();
    if (error !== undefined) throw error;
  }

  #find(id: string): Found<ThinRecord> | undefined {
    const found = this.#seen(id);
    if (found === undefined) this.requireComplete();
    return found;
  }

  #seen(id: string): Found<ThinRecord> | undefined {
    const pool = this.all.find(({ view }) => view.thins.has(id));
    const record = pool?.view.thins.get(id);
    return pool === undefined || record === undefined ? undefined : { pool, record };
  }

  #holding(holds: (pool: Pool) => boolean): Pool | undefined {
    const pool = this.all.find(holds);
    if (pool === undefined) this.requireComplete();
    return pool;
  }
}

/** Throws "pool-not-ready" or "pool-refused". */
export function requireServing(pool: Pool): PoolFigures {
  const { status, figures } = pool.view;
  if (status.kind !== "ready" || figures === undefined) throw notServing(pool);
  return figures;
}

function notServing({ description: { name: pool }, view: { status } }: Pool): DmthinError {
  if (status.kind === "refused") return new DmthinError({ code: "pool-refused", pool, reason: status.reason, remedy: status.remedy });
  return new DmthinError({ code: "pool-not-ready", pool, reason: status.kind === "locked" ? "another process has its lock" : "it is being recovered" });
}
