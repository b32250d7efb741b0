import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { expect, jest, test, describe, beforeEach, afterEach } from "@jest/globals";
import { silentLogger } from "../../src/logger.ts";
import { untilSignal, type Service } from "../../src/until-signal.ts";

const DEADLINE = 30_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const begin = (start: () => Promise<Service>) => {
  const signals = new EventEmitter();
  return { signals, ending: untilSignal(start, { deadlineMs: DEADLINE, logger: silentLogger, signals }) };
};

/** A service that is closed when it is told. */
function hanging() {
  const closed = Promise.withResolvers<void>();
  const asked: { deadlineMs: number; hurry: AbortSignal }[] = [];
  const service: Service = {
    close: async (deadlineMs, hurry) => {
      asked.push({ deadlineMs, hurry });
      await closed.promise;
    },
  };
  return { service, asked, end: closed.resolve };
}

describe.each(["SIGTERM", "SIGINT"])("%s", (name) => {
  test("closes the service, with the whole deadline for it, and no more listeners are left", async () => {
    const { service, asked, end } = hanging();
    const { signals, ending } = begin(async () => service);
    await jest.advanceTimersByTimeAsync(1_000_000);
    expect(asked).toHaveLength(0);
    signals.emit(name, name);
    await jest.advanceTimersByTimeAsync(1);
    expect(asked).toMatchObject([{ deadlineMs: DEADLINE, hurry: { aborted: false } }]);
    end();
    await expect(ending).resolves.toBe("ended");
    expect(signals.eventNames()).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

test("calls are given most of the deadline, then hurried, so that pools can be closed in the rest", async () => {
  const { service, asked } = hanging();
  const { signals, ending } = begin(async () => service);
  signals.emit("SIGTERM", "SIGTERM");
  await jest.advanceTimersByTimeAsync(DEADLINE * 0.8 - 1);
  expect(asked[0]?.hurry.aborted).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(asked[0]?.hurry.aborted).toBe(true);
  await jest.advanceTimersByTimeAsync(DEADLINE * 0.2);
  await expect(ending).resolves.toBe("overdue");
});

test("a second signal hastens: calls are not waited for, and the deadline comes near", async () => {
  const { service, asked } = hanging();
  const { signals, ending } = begin(async () => service);
  signals.emit("SIGTERM", "SIGTERM");
  await jest.advanceTimersByTimeAsync(10);
  signals.emit("SIGINT", "SIGINT");
  expect(asked[0]?.hurry.aborted).toBe(true);
  await jest.advanceTimersByTimeAsync(2000);
  await expect(ending).resolves.toBe("overdue");
});

test("a signal during the start lets recovery end, then closes with what is left of the deadline", async () => {
  const { service, asked, end } = hanging();
  const started = Promise.withResolvers<Service>();
  const { signals, ending } = begin(async () => started.promise);
  signals.emit("SIGTERM", "SIGTERM");
  await jest.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(0);
  started.resolve(service);
  end();
  await expect(ending).resolves.toBe("ended");
  expect(asked[0]?.deadlineMs).toBeLessThanOrEqual(DEADLINE - 10_000);
});

test("a start that hangs in the kernel does not outlast the deadline", async () => {
  const { signals, ending } = begin(async () => new Promise<Service>(() => undefined));
  signals.emit("SIGTERM", "SIGTERM");
  await jest.advanceTimersByTimeAsync(DEADLINE);
  await expect(ending).resolves.toBe("overdue");
});

test("a start that fails is told, not swallowed", async () => {
  const { signals, ending } = begin(async () => Promise.reject(new Error("no disk")));
  await expect(ending).rejects.toThrow("no disk");
  expect(signals.eventNames()).toEqual([]);
});

test("the process lives as long as the service, whatever it waits for: a close that waits for an unreferenced thread comes to its end", () => {
  const script = `
    import { setTimeout as sleep } from "node:timers/promises";
    import { silentLogger } from ${JSON.stringify(new URL("../../src/logger.ts", import.meta.url).href)};
    import { untilSignal } from ${JSON.stringify(new URL("../../src/until-signal.ts", import.meta.url).href)};
    const wait = () => sleep(100, undefined, { ref: false });
    const start = async () => {
      await wait();
      setTimeout(() => process.kill(process.pid, "SIGTERM"), 100).unref();
      return { close: wait };
    };
    console.log(await untilSignal(start, { deadlineMs: 30_000, logger: silentLogger, signals: process }));`;
  const ran = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "--eval", script], { encoding: "utf8" });
  expect(ran).toMatchObject({ stdout: "ended\n", stderr: "", status: 0 });
});
