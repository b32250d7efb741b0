import { expect, test } from "@jest/globals";
import { DmthinError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import { Operations } from "../../../src/volumes/operations.ts";
import type { Call } from "../../../src/volumes/volumes.ts";

const callUntil = (signal: AbortSignal): Call => ({ signal, deadline: undefined, requestId: "r" });
const patient = callUntil(new AbortController().signal);
const failing = async (): Promise<never> => {
  throw new Error("no");
};
const subjects = { exclusive: ["vol-a"] };

test("a caller that gives up is answered at once, and a repeat finds the work still going on instead of starting it twice", async () => {
  const operations = new Operations(silentLogger);
  const [work, caller] = [Promise.withResolvers<string>(), new AbortController()];
  let starts = 0;
  const start = async (): Promise<string> => {
    starts++;
    return work.promise;
  };
  const first = operations.run(callUntil(caller.signal), "creation", subjects, start);
  caller.abort();
  await expect(first).rejects.toMatchObject({ facts: { code: "deadline" } });
  await expect(operations.run(patient, "creation", subjects, start)).rejects.toMatchObject({ facts: { code: "in-progress" } });
  work.resolve("made");
  await new Promise((resolve) => setImmediate(resolve));
  expect(await operations.run(patient, "creation", subjects, start)).toBe("made");
  expect(starts).toBe(2);
});

test("why a call has ended is told, when its end has a reason", async () => {
  const ended = AbortSignal.abort(new DmthinError({ code: "shutting-down" }));
  const run = new Operations(silentLogger).run(callUntil(ended), "creation", subjects, async () => "made");
  await expect(run).rejects.toMatchObject({ facts: { code: "shutting-down" } });
});

test("work that fails, even before it waits for anything, frees its volume", async () => {
  const operations = new Operations(silentLogger);
  await expect(operations.run(patient, "creation", subjects, failing)).rejects.toThrow("no");
  expect(await operations.run(patient, "creation", subjects, async () => "made")).toBe("made");
});

test("work that fails after its caller gave up is told to the log, and ends nothing", async () => {
  const told: unknown[] = [];
  const operations = new Operations({ ...silentLogger, warn: (_, fields) => told.push(fields) });
  const [work, caller] = [Promise.withResolvers<never>(), new AbortController()];
  const first = operations.run(callUntil(caller.signal), "creation", subjects, async () => work.promise);
  caller.abort();
  await expect(first).rejects.toMatchObject({ facts: { code: "deadline" } });
  work.reject(new Error("late"));
  await expect(work.promise).rejects.toThrow("late");
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([expect.objectContaining({ requestId: "r" })]);
});
