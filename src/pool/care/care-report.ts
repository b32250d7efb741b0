import type { Bytes } from "../../units.ts";
import type { Part } from "../backings/growth.ts";

/** What care for a pool has seen, done, and can still do: plain data, published after each look that changes it. */
export interface CareReport {
  readonly data: PartReport;
  readonly metadata: PartReport;
  /** How often each happened since the pool was opened. */
  readonly counts: Readonly<Record<CareEventKind, number>>;
  /** The last ones, oldest first. */
  readonly events: readonly CareEvent[];
  /** When it will look again at the latest: the nearer to full, the sooner. */
  readonly nextLookMs: number;
}

export interface PartReport {
  readonly sizeBytes: Bytes;
  /** How much larger it can still be made, by care or by hand. */
  readonly headroomBytes: Bytes;
  /** Used beyond this, care makes it larger; undefined: never, since it may not. */
  readonly thresholdPercent: number | undefined;
  /** It should be larger, and nothing is left to make it so. */
  readonly exhausted: boolean;
  readonly lastExtension: Extension | undefined;
  /** Why the last attempt failed; undefined once one succeeded. */
  readonly failure: string | undefined;
}

/** A part that was made larger. */
export interface Extension {
  readonly at: Date;
  readonly part: Part;
  readonly fromBytes: Bytes;
  readonly toBytes: Bytes;
  /** By itself, or because somebody asked for it. */
  readonly by: "care" | "request";
}

/** How large a part is to be: at least so large, larger by so much, or as large as it can be. */
export type ExtendTarget = { readonly to: Bytes } | { readonly by: Bytes } | "max";

export const CARE_EVENTS = [
  /** A part was made larger. */
  "extended",
  /** Making a part larger failed: it is tried again. */
  "extension-failed",
  /** Nothing is left to make a part larger. Once, until there is room again. */
  "exhausted",
  /** There is room again to make it larger. */
  "replenished",
  /** Less than the minimum is free: no new volumes and snapshots. Once, until there is enough again. */
  "low",
  "enough",
  /** The filesystem below the pool's files has less than its reserve free. */
  "host-low",
  "host-enough",
  /** The kernel's state of the pool has changed, back to rw too. */
  "state",
  /** Writes in a full pool wait from now on, or fail at once. */
  "queueing",
  "failing",
] as const;
export type CareEventKind = (typeof CARE_EVENTS)[number];

export interface CareEvent {
  readonly at: Date;
  readonly kind: CareEventKind;
  readonly part: Part | undefined;
  /** For people: what happened and, where there is something to do, what. */
  readonly message: string;
}
