import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { bundle } from "./bundle.ts";
import type { Orders } from "./child.ts";
import { clearPlace, makePlace, runChild, type ChildEnd } from "./place.ts";
import type { Place } from "./real-driver.ts";
import { SCENARIOS } from "./scenarios.ts";

jest.setTimeout(300_000);

let place: Place;
let program: string;
let runs = 0;
beforeAll(async () => {
  place = makePlace();
  program = await bundle("child");
});

afterAll(() => clearPlace(place));

const run = async (orders: Omit<Orders, "place">): Promise<ChildEnd> => runChild(program, { place, ...orders });

const ended = (end: ChildEnd): string => (end.signal === null ? `it failed:\n${end.log}` : end.signal);

/** Each child puts right what the one before it left, and then dies at the next moment. The moments are those of a run that was left alone. */
test.each(SCENARIOS)("killed with SIGKILL before and after each step, the next driver puts it right: $name", async ({ name: scenario }) => {
  const next = (at: number | undefined) => ({ scenario, run: `run${++runs}`, at, strangerInTheWay: at !== undefined && at % 4 === 2 });
  let after: Orders["next"] = next(undefined);
  const undisturbed = await run({ after: undefined, next: after });
  expect(ended(undisturbed)).toBe("SIGTERM");
  expect(undisturbed.lines.length).toBeGreaterThan(1);
  for (const [at, moment] of undisturbed.lines.entries()) {
    const dying: Orders["next"] = next(at);
    expect(`${moment}: ${ended(await run({ after, next: dying }))}`).toBe(`${moment}: SIGKILL`);
    after = dying;
  }
  expect(ended(await run({ after, next: undefined }))).toBe("SIGTERM");
});
