import { describe, expect, jest, test } from "@jest/globals";
import { SCENARIOS, type Scenario } from "../crash/scenarios.ts";
import { expectAgreement, plantStrangers } from "./agreement.ts";
import { MortalProcess } from "./mortal-process.ts";
import { ENDS, SimulatedNode, type End } from "./simulated-node.ts";

/** Starts a driver whose nth moment is its last; answers the moments that it had. */
async function startUntil(node: SimulatedNode, end: End, at: number | undefined): Promise<readonly string[]> {
  const process = new MortalProcess();
  const moments: string[] = [];
  process.onMoment = (moment) => {
    moments.push(moment);
    if (moments.length - 1 === at) process.die();
  };
  try {
    const pool = await node.start(process, end);
    await pool.calls.inventory();
  } catch (error) {
    if (!process.dead) throw error;
  }
  process.kill();
  return moments;
}

async function expectUsable(node: SimulatedNode, end: End): Promise<void> {
  const process = new MortalProcess();
  const pool = await node.start(process, end);
  await expectAgreement(node, pool, []);
  const [create] = SCENARIOS;
  if (create === undefined) throw new Error("there are no scenarios");
  await create.act(node.bench(pool, process));
  await expectAgreement(node, pool, []);
}

describe.each(ENDS)("a pool's first start goes on where it was when %s", (end) => {
  test("at any step", async () => {
    using undisturbed = new SimulatedNode();
    const moments = await startUntil(undisturbed, end, undefined);
    expect(moments).toContain("before set_transaction_id");
    for (const at of moments.keys()) {
      using node = new SimulatedNode();
      await startUntil(node, end, at);
      await expectUsable(node, end).catch((error: unknown) => {
        throw new Error(`ended at "${moments[at]}" (moment ${at}): ${String(error)}`, { cause: error });
      });
    }
  });
});

/** A life that ends in its act, one that ends while it recovers from that, and one that has to put all of it right. */
async function liveThrice(
  scenario: Scenario,
  end: End,
  at: { readonly act: number | undefined; readonly recovery: number | undefined },
): Promise<readonly [number, number]> {
  using node = new SimulatedNode();
  const [first, third] = [new MortalProcess(), new MortalProcess()];
  const pool = await node.start(first, end);
  const bench = node.bench(pool, first);
  await scenario.prepare(bench);
  await pool.calls.inventory();
  const foreign = await plantStrangers(node, pool, "elsewhere");
  let moments = 0;
  first.onMoment = () => {
    if (moments++ === at.act) first.die();
  };
  await scenario.act(bench).catch((error: unknown) => {
    if (!first.dead) throw error;
  });
  expect(first.dead).toBe(at.act !== undefined);
  first.kill();
  const recovery = await startUntil(node, end, at.recovery);
  const successor = await node.start(third, end);
  await expectAgreement(node, successor, foreign);
  const again = node.bench(successor, third);
  await scenario.act(again);
  await scenario.verify(again);
  await expectAgreement(node, successor, foreign);
  return [moments, recovery.length];
}

jest.setTimeout(60_000);
const WORTHWHILE = ["create", "snapshot of a volume in use", "delete", "expand of an active volume"];

describe.each(["its container is killed whole", "the power is cut"] as const)("a recovery can itself end at any step, when %s, after the end of", (end) => {
  test.each(SCENARIOS.filter(({ name }) => WORTHWHILE.includes(name)))("$name", async (scenario) => {
    const [acts] = await liveThrice(scenario, end, { act: undefined, recovery: undefined });
    expect(acts).toBeGreaterThan(3);
    for (let act = 0; act < acts; act += 2) {
      const [, recoveries] = await liveThrice(scenario, end, { act, recovery: undefined });
      expect(recoveries).toBeGreaterThan(0);
      for (let recovery = 0; recovery < recoveries; recovery++) {
        await liveThrice(scenario, end, { act, recovery }).catch((error: unknown) => {
          throw new Error(`ended at moment ${act} of its act and ${recovery} of its recovery: ${String(error)}`, { cause: error });
        });
      }
    }
  });
});
