import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { watchDeviceEvents } from "../../../../src/devicemapper/events.ts";
import { silentLogger } from "../../../../src/logger.ts";
import type { Pool, PoolView } from "../../../../src/pool/pool.ts";
import { watchPools } from "../../../../src/pool/care/watch-pools.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A pool that counts how often it was looked at, and says how soon it wants to be again. */
class Looked {
  looks = 0;
  fails = false;
  status: PoolView["status"] = { kind: "ready" };
  stuck: PoolView["stuck"];
  nextLookMs = 10_000;
  /** Undefined: answers at once. */
  answer: Promise<void> | undefined;

  get pool(): Pool {
    const view = (): Partial<PoolView> => ({ status: this.status, stuck: this.stuck, care: { nextLookMs: this.nextLookMs } as NonNullable<PoolView["care"]> });
    const refresh = async (): Promise<void> => {
      this.looks++;
      await this.answer;
      if (this.fails) throw new Error("the kernel does not answer");
    };
    return { description: { name: "a" }, calls: { refresh }, get view() { return view(); } } as unknown as Pool; // prettier-ignore
  }
}

let onEvent: () => void;
const events: typeof watchDeviceEvents = (listener) => {
  ({ onEvent } = listener);
  return { close: async () => undefined };
};
const after = async (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test("a pool is looked at as soon as it serves, and then as soon as it wants to be", async () => {
  const looked = new Looked();
  looked.status = { kind: "recovering" };
  const watch = watchPools([looked.pool], silentLogger, events);
  await after(1_000);
  expect(looked.looks).toBe(0);
  looked.status = { kind: "ready" };
  await after(250);
  expect(looked.looks).toBe(1);
  await after(9_999);
  expect(looked.looks).toBe(1);
  looked.nextLookMs = 1_000;
  await after(1);
  expect(looked.looks).toBe(2);
  await after(3_000);
  expect(looked.looks).toBe(5);
  await watch.close();
  await after(60_000);
  expect(looked.looks).toBe(5);
});

test("an event is looked into at once; those that follow, together, and none is missed", async () => {
  const looked = new Looked();
  const watch = watchPools([looked.pool], silentLogger, events);
  await after(1_000);
  const before = looked.looks;
  onEvent();
  await after(0);
  expect(looked.looks).toBe(before + 1);
  for (let times = 0; times < 100; times++) onEvent();
  await after(249);
  expect(looked.looks).toBe(before + 1);
  await after(1);
  expect(looked.looks).toBe(before + 2);
  await after(1_000);
  expect(looked.looks).toBe(before + 2);
  await watch.close();
});

test("one look at a time: what happens meanwhile is looked into when it has ended", async () => {
  const looked = new Looked();
  const watch = watchPools([looked.pool], silentLogger, events);
  await after(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  looked.answer = promise;
  const before = looked.looks;
  onEvent();
  await after(300);
  onEvent();
  await after(300);
  expect(looked.looks).toBe(before + 1);
  looked.answer = undefined;
  resolve();
  await after(0);
  expect(looked.looks).toBe(before + 2);
  await watch.close();
});

test("one that is stuck is not asked for more; one that fails is asked again", async () => {
  const looked = new Looked();
  looked.nextLookMs = 1_000;
  looked.fails = true;
  const watch = watchPools([looked.pool], silentLogger, events);
  await after(2_500);
  expect(looked.looks).toBe(3);
  looked.stuck = { operation: "refresh", since: new Date() };
  await after(10_000);
  expect(looked.looks).toBe(3);
  looked.stuck = undefined;
  await after(1_500);
  expect(looked.looks).toBeGreaterThan(3);
  await watch.close();
});
