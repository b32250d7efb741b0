import { describe, expect, jest, test } from "@jest/globals";
import { groupId, memberName, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { TiB } from "../../../src/units.ts";
import { SIZE } from "../../contract/volumes/client.ts";
import type { Cluster } from "../../unit/cluster/node/cluster-node.ts";
import { MortalNode, type End } from "./mortal-node.ts";

jest.setTimeout(60_000);

/** What is asked of a node that dies while it does it. */
interface Scenario {
  readonly name: string;
  readonly prepare?: (cluster: Cluster) => Promise<void>;
  readonly ask: (cluster: Cluster) => Promise<void>;
  readonly isDone: (cluster: Cluster) => Promise<boolean>;
}

const [A, B] = [volumeId("a"), volumeId("b")];
const made = async (cluster: Cluster): Promise<void> => {
  await Promise.all([cluster.volume("a"), cluster.volume("b")]);
  await Promise.all([cluster.ready("a"), cluster.ready("b")]);
};
const isReady = async ({ volumes }: Cluster, name: string): Promise<boolean> => (await volumes.get(volumeId(name)))?.status.phase === "Ready";

const SCENARIOS: readonly Scenario[] = [
  { name: "a volume", ask: async (cluster) => void (await cluster.volume("a")), isDone: async (cluster) => isReady(cluster, "a") },
  {
    name: "a volume that cannot be had",
    ask: async (cluster) => void (await cluster.volume("a", { requiredBytes: 100 * TiB })),
    isDone: async ({ volumes }) => {
      const item = await volumes.get(A);
      return item?.status.phase === "Failed" && item.metadata.finalizers.length === 0;
    },
  },
  {
    name: "a volume that is withdrawn at once",
    ask: async (cluster) => {
      await cluster.volume("a");
      await new Promise((resolve) => setImmediate(resolve));
      await cluster.volumes.delete(A);
    },
    isDone: async ({ volumes }) => (await volumes.get(A)) === undefined,
  },
  {
    name: "a deletion",
    prepare: made,
    ask: async ({ volumes }) => volumes.delete(A),
    isDone: async ({ volumes }) => (await volumes.get(A)) === undefined,
  },
  {
    name: "an expansion and other parameters",
    prepare: made,
    ask: async ({ volumes }) => void (await volumes.patch(A, { spec: { requiredBytes: 2 * SIZE, parameters: { discardOnDelete: true } } })),
    isDone: async ({ volumes }) => (await volumes.get(A))?.status.observedGeneration === 2,
  },
  {
    name: "a clone",
    prepare: made,
    ask: async (cluster) => void (await cluster.volume("c", { source: { kind: "volume", id: A } })),
    isDone: async (cluster) => isReady(cluster, "c"),
  },
  {
    name: "a snapshot",
    prepare: made,
    ask: async (cluster) => void (await cluster.snapshot("s", A)),
    isDone: async ({ snapshots }) => (await snapshots.get(snapshotId("s")))?.status.phase === "Ready",
  },
  {
    name: "a group",
    prepare: made,
    ask: async (cluster) => void (await cluster.group("g", [A, B])),
    isDone: async ({ groups }) => (await groups.get(groupId("g")))?.status.phase === "Ready",
  },
  {
    name: "a restore of a group's member, and the group's deletion",
    prepare: async (cluster) => {
      await made(cluster);
      await cluster.group("g", [A, B]);
      await cluster.until(cluster.groups, groupId("g"), (item) => item?.status.phase === "Ready");
      await cluster.volume("c", { source: { kind: "snapshot", id: snapshotId(memberName("g", B)) } });
      await cluster.ready("c");
    },
    ask: async ({ groups }) => groups.delete(groupId("g")),
    isDone: async ({ groups }) => (await groups.get(groupId("g"))) === undefined,
  },
];

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
    for (let at = 1; at < first.length; at += 3) {
      const [, second = []] = await live(scenario, "its process is killed", [at, undefined]);
      for (let next = 0; next < second.length; next += 2) await live(scenario, "its process is killed", [at, next]);
    }
  });
});
