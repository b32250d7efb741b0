import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Pool } from "../../src/pool/pool.ts";
import { until } from "../crash/bench.ts";
import { SCENARIOS, type Scenario } from "../crash/scenarios.ts";
import { refusal } from "../simulation/errno.ts";
import { expectAgreement, plantStrangers } from "./agreement.ts";
import { MortalProcess } from "./mortal-process.ts";
import { SimulatedNode } from "./simulated-node.ts";

/** What is tried again every few seconds is tried at once here: only intervals are simulated. */
const REAL = ["Date", "hrtime", "nextTick", "performance", "queueMicrotask", "setImmediate", "clearImmediate", "setTimeout", "clearTimeout"] as const;
const AN_HOUR_MS = 3_600_000;
jest.setTimeout(60_000);
beforeAll(() => void jest.useFakeTimers({ doNotFake: [...REAL] }));
afterAll(() => void jest.useRealTimers());

/** What goes wrong at a moment, and how it passes. */
interface Trouble {
  readonly name: string;
  /** Called at the moment and at each one after it; throws what the call there answers. */
  readonly strike: (node: SimulatedNode, moment: string, isFirst: boolean) => void;
  readonly pass: (node: SimulatedNode) => void;
}

const verbOf = (moment: string): string => moment.replace("before ", "");
const nothing = (): void => undefined;

const refusals = ["EIO", "EBUSY", "ENOSPC"].flatMap((errno): readonly Trouble[] => [
  {
    name: `one call is refused with ${errno}`,
    strike: (_, moment, isFirst) => {
      if (isFirst) throw refusal(verbOf(moment), "anything", errno);
    },
    pass: nothing,
  },
  {
    name: `every call is refused with ${errno} from one on`,
    strike: (_, moment) => {
      throw refusal(verbOf(moment), "anything", errno);
    },
    pass: nothing,
  },
]);

const readOnly: Trouble = {
  name: "the pool turns read-only",
  strike: ({ machine, poolUuid }) => machine.kernel.pool(poolUuid).setMode("ro"),
  pass: ({ machine, poolUuid }) => machine.kernel.pool(poolUuid).setMode("rw"),
};

/** Ids of what is being deleted, or was refused, are free again when all that waits has been tried. */
async function settle(node: SimulatedNode, pool: Pool): Promise<void> {
  jest.advanceTimersByTime(AN_HOUR_MS);
  await until(() => [...pool.view.thins.values()].every(({ state }) => state === "ready"));
  expectNothingSuspended(node);
}

const expectNothingSuspended = (node: SimulatedNode): void => expect(node.leftovers().filter((line) => line.endsWith("is suspended"))).toEqual([]);

/** The nth call of the act meets the trouble; answers the calls that a run without it makes. */
async function failAt(scenario: Scenario, trouble: Trouble, at: number | undefined): Promise<readonly string[]> {
  using node = new SimulatedNode();
  const process = new MortalProcess();
  const pool = await node.start(process, "its process is killed");
  const bench = node.bench(pool, process);
  await scenario.prepare(bench);
  await pool.calls.inventory();
  const foreign = await plantStrangers(node, pool, "elsewhere");
  const calls: string[] = [];
  process.onMoment = (moment) => {
    // Steps that the engine names are no calls, and what users do is not refused.
    if (!moment.startsWith("before ") || moment.includes(":") || moment.includes("mkfs")) return;
    calls.push(moment);
    if (at !== undefined && calls.length - 1 >= at) trouble.strike(node, moment, calls.length - 1 === at);
  };
  const outcome = await scenario.act(bench).then(
    () => "done",
    (error: unknown) => String(error),
  );
  process.onMoment = nothing;
  try {
    trouble.pass(node);
    await settle(node, pool);
    await scenario.act(bench);
    await settle(node, pool);
    await expectAgreement(node, pool, foreign);
    await scenario.verify(bench);
    await expectAgreement(node, pool, foreign);
  } catch (error) {
    throw new Error(`${trouble.name}, at "${calls[at ?? -1]}" (call ${at} of the act, which ended with "${outcome}"): ${String(error)}`, { cause: error });
  }
  return calls;
}

describe.each([...refusals, readOnly])(
  "what is asked again when it has passed succeeds, and nothing is lost, left or frozen, when $name at any call of",
  (trouble) => {
    test.each(SCENARIOS.filter(({ isWithoutKernel }) => isWithoutKernel !== true))("$name", async (scenario) => {
      const calls = await failAt(scenario, trouble, undefined);
      expect(calls).not.toEqual([]);
      for (const at of calls.keys()) await failAt(scenario, trouble, at);
    });
  },
);

/** The driver dies after the nth step of the act, or when all is done; the next one starts on a read-only pool. Answers how many steps there are. */
async function startReadOnly(scenario: Scenario, at: number | undefined): Promise<number> {
  using node = new SimulatedNode();
  const [first, second] = [new MortalProcess(), new MortalProcess()];
  const pool = await node.start(first, "its container is killed whole");
  const bench = node.bench(pool, first);
  await scenario.prepare(bench);
  await pool.calls.inventory();
  let steps = 0;
  first.onMoment = (moment) => {
    if (moment.startsWith("after ") && steps++ === at) first.die();
  };
  await scenario.act(bench).catch((error: unknown) => {
    if (!first.dead) throw error;
  });
  expect(first.dead).toBe(at !== undefined);
  first.kill();
  readOnly.strike(node, "", true);
  const successor = await node.start(second, "its container is killed whole");
  expect(successor.view.status).toEqual({ kind: "ready" });
  expectNothingSuspended(node);
  readOnly.pass(node);
  const again = node.bench(successor, second);
  await settle(node, successor);
  await scenario.act(again);
  await settle(node, successor);
  await expectAgreement(node, successor, []);
  await scenario.verify(again);
  return steps;
}

test.each(SCENARIOS)("a driver that starts on a read-only pool serves, and finishes when it can be written again: $name", async (scenario) => {
  const steps = await startReadOnly(scenario, undefined);
  expect(steps).toBeGreaterThan(0);
  for (let at = 0; at < steps; at++) await startReadOnly(scenario, at);
});
