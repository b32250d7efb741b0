import type { Bytes } from "../units.ts";

/** What a look at a pool has found: plain data, for people and for programs. */
export interface Finding {
  readonly severity: "ok" | "warning" | "problem";
  readonly subject: string;
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** A volume or snapshot after a repair. */
export interface SurvivorReport {
  readonly id: string;
  readonly name: string;
  readonly kind: "volume" | "snapshot";
  /** `unchecked`: it holds no filesystem that could be. */
  readonly state: "intact" | "repaired" | "unchecked" | "damaged" | "lost";
  readonly detail: string;
  /** undefined: the damaged metadata could not tell. */
  readonly mappedBefore: Bytes | undefined;
  readonly mappedAfter: Bytes;
}

export const isLoss = ({ state }: SurvivorReport): boolean => state === "damaged" || state === "lost";

/** "1 volume", "2 volumes". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Told while it is done: long work says what it is at. */
export type Progress = (text: string) => void;
/** Asked before anything is changed, with what will be done, a sentence a step. */
export type Confirm = (steps: readonly string[]) => Promise<boolean>;
