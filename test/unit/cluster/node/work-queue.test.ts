import { expect, test } from "@jest/globals";
import { WorkQueue } from "../../../../src/cluster/node/work-queue.ts";

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const noError = (_: string, error: unknown): void => {
  throw error;
};

test("a key is worked on by one at a time, and once more for whatever came meanwhile", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const queue = new WorkQueue(async () => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return "settled";
  }, noError);
  queue.add("a");
  queue.add("a");
  queue.add("a");
  expect(gates).toHaveLength(1);
  gates[0]?.resolve();
  await turn();
  expect(gates).toHaveLength(2);
  gates[1]?.resolve();
  await turn();
  expect(gates).toHaveLength(2);
  expect(queue.busy).toBe(0);
});

test("many keys are worked on at once, and no more than the limit", async () => {
  const running = new Set<string>();
  const ends = new Map<string, () => void>();
  const queue = new WorkQueue(
    async (key) => {
      running.add(key);
      await new Promise<void>((resolve) => ends.set(key, resolve));
      running.delete(key);
      return "settled";
    },
    noError,
    { limit: 2 },
  );
  for (const key of ["a", "b", "c"]) queue.add(key);
  expect([...running]).toEqual(["a", "b"]);
  ends.get("a")?.();
  await turn();
  expect([...running]).toEqual(["b", "c"]);
  for (const key of ["b", "c"]) ends.get(key)?.();
  await turn();
  expect(running.size).toBe(0);
});

test("what hangs in one lane holds up no other", async () => {
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const work = async (key: string) => {
    if (key.startsWith("stuck")) await gate.promise;
    done.push(key);
    return "settled" as const;
  };
  const queue = new WorkQueue(work, noError, { limit: 2, laneOf: (key) => key.split("/")[0] ?? "" });
  for (const key of ["stuck/a", "stuck/b", "stuck/c", "well/a", "well/b", "well/c"]) queue.add(key);
  await turn();
  expect(done).toEqual(["well/a", "well/b", "well/c"]);
  expect(queue.busy).toBe(3);
  gate.resolve();
  await turn();
  expect(queue.busy).toBe(0);
  queue.add("stuck/a");
  await turn();
  expect(done.at(-1)).toBe("stuck/a");
});

test("what has to be tried again is, after pauses that grow and are cut at random, until it settles; what is thrown is told", async () => {
  const attempts: number[] = [];
  const told: unknown[] = [];
  const done = Promise.withResolvers<void>();
  const queue = new WorkQueue(
    async (_, attempt) => {
      attempts.push(attempt);
      if (attempt === 1) throw new Error("the API server is away");
      if (attempt < 4) return "again";
      done.resolve();
      return "settled";
    },
    (key, error) => told.push([key, String(error)]),
    { minimumMs: 1, maximumMs: 2, random: () => 0.5 },
  );
  queue.add("a");
  await done.promise;
  await turn();
  expect(attempts).toEqual([0, 1, 2, 3, 4]);
  expect(told).toEqual([["a", "Error: the API server is away"]]);
});

test("news ends a pause", async () => {
  let count = 0;
  const queue = new WorkQueue(
    async () => {
      count++;
      return "again";
    },
    noError,
    { minimumMs: 60_000, maximumMs: 60_000 },
  );
  queue.add("a");
  await turn();
  queue.add("a");
  await turn();
  expect(count).toBe(2);
  await queue.close();
});

test("closed, it waits for what is being done, and begins nothing any more", async () => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const queue = new WorkQueue(
    async (key) => {
      begun.push(key);
      await gate.promise;
      return "again";
    },
    noError,
    { limit: 1, minimumMs: 1 },
  );
  queue.add("a");
  queue.add("b");
  const closing = queue.close();
  queue.add("c");
  gate.resolve();
  await closing;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(begun).toEqual(["a"]);
});
