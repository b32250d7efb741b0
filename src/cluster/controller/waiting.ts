import { DmthinError, type ObjectKind } from "../../errors.ts";
import { LONGEST_TIMER_MS } from "../../units.ts";
import { requireTime } from "../../volumes/operations.ts";
import type { Call } from "../../volumes/volumes.ts";

/** Before the caller's deadline: an answer in words reaches it, where a missed deadline would be told by its number alone. */
const MARGIN_MS = 1000;

/** What tells of changes: a cache, or the agents. */
export interface Source {
  onChange(listener: () => void): () => void;
}

export interface Subject {
  readonly kind: ObjectKind;
  readonly id: string;
  /** Such as "creation". */
  readonly operation: string;
}

/**
 * Resolves with what `judge` answers once that is not undefined: asked at once, and whenever a source tells of a change.
 * Throws "in-progress" shortly before the caller's time is out, with what is waited for, and as the call ends when that comes first.
 */
export async function untilJudged<Answer>(
  call: Call,
  subject: Subject,
  sources: readonly Source[],
  judge: () => Answer | undefined,
  waitsFor: () => string,
): Promise<Answer> {
  const title = `${subject.operation} of ${subject.kind} ${subject.id}`;
  requireTime(call, title);
  const first = judge();
  if (first !== undefined) return first;
  const ended = Promise.withResolvers<Answer>();
  const look = (): void => {
    try {
      const answer = judge();
      if (answer !== undefined) ended.resolve(answer);
    } catch (error) {
      ended.reject(error);
    }
  };
  const giveUp = (): void => {
    try {
      requireTime(call, title);
    } catch (error) {
      ended.reject(error);
    }
  };
  const outOfTime = (): void => ended.reject(new DmthinError({ code: "in-progress", ...subject, operation: `${subject.operation} ${waitsFor()}` }));
  const timer =
    call.deadline === undefined ? undefined : setTimeout(outOfTime, Math.min(Math.max(call.deadline - Date.now() - MARGIN_MS, 0), LONGEST_TIMER_MS));
  const releases = sources.map((source) => source.onChange(look));
  call.signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await ended.promise;
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener("abort", giveUp);
    for (const release of releases) release();
  }
}
