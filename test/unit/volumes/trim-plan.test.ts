import { describe, expect, test } from "@jest/globals";
import { volumeId } from "../../../src/volumes/ids.ts";
import { dueForTrim, type TrimCandidate } from "../../../src/volumes/trim-plan.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const BEGIN = Date.UTC(2026, 0, 1);

/** Looks every hour, and trims what is due; answers when each was trimmed, in hours from the beginning. */
function live(
  candidates: readonly TrimCandidate[],
  hours: number,
  { isUp = () => true, atOnce = Infinity }: { isUp?: (hour: number) => boolean; atOnce?: number } = {},
): ReadonlyMap<string, number[]> {
  const trimmedAt = new Map(candidates.flatMap((each) => (each.trimmedAt === undefined ? [] : [[each.id, each.trimmedAt]])));
  const times = new Map<string, number[]>(candidates.map(({ id }) => [id, []]));
  for (let hour = 0; hour < hours; hour++) {
    if (!isUp(hour)) continue;
    const now = new Date(BEGIN + hour * HOUR_MS);
    const known = candidates.map(({ id, createdAt }) => ({ id, createdAt, ...(trimmedAt.has(id) ? { trimmedAt: trimmedAt.get(id) ?? now } : {}) }));
    for (const id of dueForTrim(known, { intervalMs: WEEK_MS, now }).slice(0, atOnce)) {
      trimmedAt.set(id, now);
      times.get(id)?.push(hour);
    }
  }
  return times;
}

const made = (count: number, createdAt = new Date(BEGIN)): readonly TrimCandidate[] =>
  Array.from({ length: count }, (_, index) => ({ id: volumeId(`volume-${index}`), createdAt }));

const isUp = (hour: number): boolean => hour < 200 || hour >= 500;

describe("when each filesystem is trimmed", () => {
  test("once an interval each, at the same time of it", () => {
    for (const times of live(made(20), 24 * 7 * 4).values()) {
      expect(times).toHaveLength(4);
      expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual([168, 168, 168]);
    }
  });

  test("volumes that were made together are spread over the interval", () => {
    const first = [...live(made(168), 169).values()].map(([time = -1]) => time);
    const perDay = Array.from({ length: 7 }, (_, day) => first.filter((time) => Math.min(Math.floor(time / 24), 6) === day).length);
    expect(first.includes(-1)).toBe(false);
    expect(Math.max(...perDay)).toBeLessThan(2 * 24);
    expect(Math.min(...perDay)).toBeGreaterThan(24 / 2);
  });

  test("a restart changes nothing: what was done is not due, what was missed is due at once, and then at its own time again", () => {
    for (const times of live(made(20), 168 * 6, { isUp }).values()) {
      const [own = 0] = times.map((time) => time % 168);
      const expected = Array.from({ length: 6 }, (_, week) => own + week * 168).map((time) => (isUp(time) ? time : 500));
      expect(times).toEqual([...new Set(expected)]);
    }
  });

  test("the longest overdue is first, so that all get their turn however few go at once", () => {
    const counts = [...live(made(100), 168 * 3, { atOnce: 1 }).values()].map(({ length }) => length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
    const now = new Date(BEGIN + 10 * WEEK_MS);
    const [a, b, c] = [1, 3, 2].map((weeks, index) => ({
      id: volumeId(`${index}`),
      createdAt: new Date(0),
      trimmedAt: new Date(now.getTime() - (weeks + 1) * WEEK_MS),
    }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three were made");
    expect(dueForTrim([a, b, c], { intervalMs: WEEK_MS, now })).toEqual([b.id, c.id, a.id]);
  });

  test("a time in the future was a wrong clock's, and counts for nothing", () => {
    const now = new Date(BEGIN);
    const candidate = { id: volumeId("a"), createdAt: now, trimmedAt: new Date(BEGIN + 1000 * WEEK_MS) };
    expect(dueForTrim([candidate], { intervalMs: WEEK_MS, now })).toEqual([candidate.id]);
  });
});
