import { describe, expect, jest, test } from "@jest/globals";
import { MortalNode, type End } from "./mortal-node.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

jest.setTimeout(60_000);

async function until(node: MortalNode, reached: () => Promise<boolean>): Promise<void> {
  while (!node.isDead && !(await reached())) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Lives that each end at their nth step, and a last one that has to put all right. Answers the steps of each. */
async function live({ prepare, ask, isDone }: Scenario, end: End, deaths: readonly (number | undefined)[]): Promise<readonly (readonly string[])[]> {
  await using node = new MortalNode(end);
  const { cluster } = node;
  const lives: (readonly string[])[] = [];
  await node.begin();
  await prepare?.(cluster);
  await node.settled();
  try {
    for (const [life, at] of deaths.entries()) {
      if (life > 0) await node.begin();
      lives.push(node.watch(at));
      if (life === 0) await ask(cluster);
      await until(node, async () => isDone(cluster));
      await node.settled();
      if (!node.isDead) await node.world.kill();
    }
    await node.begin();
    await until(node, async () => isDone(cluster));
    await node.settled();
    await node.expectAgreement();
  } catch (error) {
    const where = lives.map((moments, life) => `life ${life} ended at "${moments.at(-1)}" (step ${deaths[life]})`).join(", ");
    throw new Error(`${where}: ${String(error)}`, { cause: error });
  }
  return lives;
}

describe.each<End>(["its process is killed", "the power is cut"])("objects, catalogue and kernel agree when %s at any step of", (end) => {
  test.each(SCENARIOS)("$name", async (scenario) => {
    const [undisturbed = []] = await live(scenario, end, [undefined]);
    expect(undisturbed.some((moment) => moment.startsWith("after PATCH"))).toBe(true);
    for (const at of undisturbed.keys()) await live(scenario, end, [at]);
  });
});

describe("the life that follows can end at any step too, after the end of", () => {
  test.each(SCENARIOS.filter(({ name }) => ["a volume", "a deletion", "a group"].includes(name)))("$name", async (scenario) => {
    const [first = []] = await live(scenario, "its process is killed", [undefined]);
    expect(first.length).toBeGreaterThan(3);
    for (let at = 1; at < first.length; at += 3) {
      const [, second = []] = await live(scenario, "its process is killed", [at, undefined]);
      for (let next = 0; next < second.length; next += 2) await live(scenario, "its process is killed", [at, next]);
    }
  });
});
