import type { GroupRecord, ThinRecord } from "../catalog/records.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { Bytes } from "../units.ts";
import type { ExcludedDisk } from "./backings/backing.ts";
import type { CareReport } from "./care/care-report.ts";
import type { PoolSetup, ThinSpace } from "./setup.ts";
import type { DeletionDelay, Inventory, PoolCalls, PoolFigures, PoolStatus } from "./pool-calls.ts";

/** What is known of a pool without asking its actor: kept on the main thread from the actor's news. */
export interface PoolView {
  readonly status: PoolStatus;
  /** Of the catalogue that was last open: another pool of the same name has another. Only while the status is "ready" is it open. */
  readonly poolUuid?: string | undefined;
  /** undefined until the kernel was first asked. */
  readonly figures: PoolFigures | undefined;
  readonly thins: ReadonlyMap<string, ThinRecord>;
  readonly groups: ReadonlyMap<string, GroupRecord>;
  /** The virtual sizes of the volumes together. Snapshots cannot be written, so they count only by what they own: used space. */
  readonly promisedBytes: number;
  /** undefined until care has looked for the first time. */
  readonly care?: CareReport | undefined;
  /** What each active thin device maps, by id, as of a few seconds ago. */
  readonly mapped?: ReadonlyMap<string, Bytes>;
  /** The deletions that have to wait, by id: deferred, as Docker called it. */
  readonly deferredDeletions?: ReadonlyMap<string, DeletionDelay>;
  /** undefined until the pool is open. */
  readonly setup?: PoolSetup | undefined;
  /** Of a pool on disks that the driver chooses: its own, and those that it leaves out and why. undefined of others, and until they were looked at. */
  readonly memberDisks?: readonly string[] | undefined;
  readonly excludedDisks?: readonly ExcludedDisk[] | undefined;
  /** What each thin device takes, by id, as far as it was told or measured. */
  readonly spaces?: ReadonlyMap<string, ThinSpace>;
  /** When what each maps alone was last measured. */
  readonly exclusiveAt?: Date | undefined;
  /** undefined until the first inventory after start has ended. */
  readonly inventory: Inventory | undefined;
  /** The call that waits longest in the actor, if any waits beyond what is usual. Of those that no disk may hold up: figures are read every few seconds. */
  readonly stuck: { readonly operation: string; readonly since: Date } | undefined;
  /** Creations that were given up ("pool-stuck") and go on: what they will have made is not told yet. */
  readonly unanswered?: number;
}

/**
 * A pool as the rest of the driver sees it. A call rejects with "pool-stuck" when its deadline passes while the actor
 * waits in the kernel; with "pool-not-ready" or "pool-refused" while the pool does not serve.
 */
export interface Pool {
  readonly description: PoolDescription;
  readonly view: PoolView;
  readonly calls: PoolCalls;
  /** Whether something of it is still in the kernel; after a close: beyond the deadline, with the pool's lock. */
  readonly isAtWork?: boolean;
  /** A worker that hangs in the kernel does not hold this up beyond the deadline. Active devices stay active. */
  close(deadlineMs: number): Promise<void>;
}
