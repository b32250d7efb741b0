import { createHash } from "node:crypto";

/** A mounted filesystem that may be trimmed. */
export interface TrimCandidate {
  readonly id: string;
  readonly createdAt: Date;
  /** When it was last trimmed as a whole; undefined: never. */
  readonly trimmedAt?: Date;
}

/**
 * Whose turn it is, the longest overdue first. Each volume has a time of its own in every interval, by its id: so they
 * are spread out however they were made, and after a long stop, which lets all of them be due at once, they are again.
 * What missed its time, since it was not mounted or the driver did not run, is due until it was done.
 */
export function dueForTrim(candidates: readonly TrimCandidate[], { intervalMs, now }: { readonly intervalMs: number; readonly now: Date }): readonly string[] {
  return candidates
    .map(({ id, createdAt, trimmedAt }) => ({ id, since: lastTime(id, intervalMs, now), before: (trimmedAt ?? createdAt).getTime() }))
    .filter(({ since, before }) => before < since || before > now.getTime()) // done in the future: the clock was wrong then
    .toSorted((left, right) => left.before - right.before)
    .map(({ id }) => id);
}

/** The last time that was the volume's own, in milliseconds. */
function lastTime(id: string, intervalMs: number, now: Date): number {
  const phase = Math.floor(shareOf(id) * intervalMs);
  return now.getTime() - ((((now.getTime() - phase) % intervalMs) + intervalMs) % intervalMs);
}

/** From 0 to 1, even over all ids. */
const shareOf = (id: string): number => createHash("sha256").update(id).digest().readUInt32BE() / 2 ** 32;
