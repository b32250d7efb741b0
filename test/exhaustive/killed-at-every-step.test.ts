import { describe, expect, jest, test } from "@jest/globals";
import { SCENARIOS, type Scenario } from "../crash/scenarios.ts";
import { expectAgreement, FOREIGN, plantStrangers, type Strangers } from "./agreement.ts";
import { MortalProcess } from "./mortal-process.ts";
import { ENDS, SimulatedNode, type End } from "./simulated-node.ts";

interface Ending {
  readonly end: End;
  readonly strangers: Strangers;
  /** The nth moment of the act is the process's last; none: it lives, and is ended when the act is done. */
  readonly at: number | undefined;
}

/** One life that ends in the midst of the act, and the next one, which has to put everything right. Answers the moments of the first. */
async function liveTwice(scenario: Scenario, { end, strangers, at }: Ending): Promise<readonly string[]> {
  using node = new SimulatedNode();
  const [first, second] = [new MortalProcess(), new MortalProcess()];
  const pool = await node.start(first, end);
  const bench = node.bench(pool, first);
  await scenario.prepare(bench);
  await pool.calls.inventory();
  const foreign = await plantStrangers(node, pool, strangers);
  const moments: string[] = [];
  first.onMoment = (moment) => {
    moments.push(moment);
    if (moments.length - 1 === at) first.die();
  };
  await scenario.act(bench).catch((error: unknown) => {
    if (!first.dead) throw error;
  });
  expect(first.dead).toBe(at !== undefined);
  first.kill();
  try {
    if (end === "its process is killed") expect(node.leftovers().filter((line) => line.endsWith("suspended"))).toEqual([]);
    const successor = await node.start(second, end);
    await expectAgreement(node, successor, foreign);
    const again = node.bench(successor, second, { unsyncedLost: end === "the power is cut" && at !== undefined });
    await scenario.act(again);
    await expectAgreement(node, successor, foreign);
    await scenario.act(again);
    await scenario.verify(again);
    await expectAgreement(node, successor, foreign);
  } catch (error) {
    throw new Error(`ended ${at === undefined ? "when all was done" : `at "${moments[at]}" (moment ${at} of its act)`}: ${String(error)}`, { cause: error });
  }
  return moments;
}

/** The moments are those of a run that was left alone: a new step is covered by itself. */
async function endEverywhere(scenario: Scenario, end: End, strangers: Strangers): Promise<void> {
  const moments = await liveTwice(scenario, { end, strangers, at: undefined });
  expect(moments.length).toBeGreaterThan(3);
  for (const at of moments.keys()) await liveTwice(scenario, { end, strangers, at });
}

describe.each(ENDS)("nothing is lost, left or taken when %s at any step of", (end) => {
  test.each(SCENARIOS)("$name", async (scenario) => endEverywhere(scenario, end, "elsewhere"));
});

jest.setTimeout(60_000);
const MAKING = SCENARIOS.filter(({ name }) => /create|clone|restore|snapshot/.test(name));
describe("strangers' thin devices that have the next numbers survive an end at any step of", () => {
  test.each(MAKING)("$name", async (scenario) => endEverywhere(scenario, "its container is killed whole", "in the way"));
});

test("strangers are really there, or these tests would show nothing", () => expect(FOREIGN.elsewhere.length + FOREIGN["in the way"].length).toBeGreaterThan(2));
