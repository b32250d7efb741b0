import { describe, expect, test } from "@jest/globals";
import type { ThinListing } from "../../src/devicemapper/thin-tools.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { volumeId } from "../../src/volumes/ids.ts";
import { SIZE } from "../crash/bench.ts";
import { expectAgreement, plantStrangers } from "./agreement.ts";
import { MortalProcess } from "./mortal-process.ts";
import { ENDS, SimulatedNode, type End } from "./simulated-node.ts";

const ID = volumeId("found");
const CHUNK = 65_536;

interface Wish {
  readonly name: string;
  /** As who asks for it does it, again and again. */
  readonly act: (pool: Pool, number: number) => Promise<void>;
  /** Of the strangers that were there, the first is the orphan. */
  readonly verify: (node: SimulatedNode, pool: Pool, orphan: ThinListing) => Promise<void>;
}

const adoption: Wish = {
  name: "adoption",
  act: async ({ calls, view }, number) => {
    if (view.thins.has(ID)) return;
    await calls.examineOrphan(number, ID);
    const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
    await calls.adoptOrphan({ number, id: ID, name: "found", sizeBytes: SIZE, filesystem: undefined, parameters });
    await calls.deactivate(ID);
  },
  verify: async (node, pool, orphan) => {
    expect(pool.view.thins.get(ID)).toMatchObject({ number: orphan.number, name: "found", state: "ready", transactionId: orphan.transactionId });
    expect(await node.thins()).toContainEqual(orphan);
    const { path } = await pool.calls.activate(ID, { readOnly: true });
    expect(node.machine.kernel.block(path)?.read(0, CHUNK).equals(Buffer.alloc(CHUNK, 0xee))).toBe(true);
    await pool.calls.deactivate(ID);
  },
};

const removal: Wish = {
  name: "deletion",
  act: async ({ calls, view }, number) => {
    const { orphans } = await calls.inventory();
    if (view.thins.has(ID) || orphans.some((orphan) => orphan.number === number)) expect(await calls.removeOrphan(number, ID)).toBe("removed");
  },
  verify: async (node, pool, orphan) => {
    expect((await node.thins()).map(({ number }) => number)).not.toContain(orphan.number);
    expect(pool.view.thins.size).toBe(0);
  },
};

/** One life that ends at the nth moment of the act, and the next, in which it is said again, and again. Answers the moments of the first. */
async function liveTwice({ act, verify }: Wish, end: End, at: number | undefined): Promise<readonly string[]> {
  using node = new SimulatedNode();
  const [first, second] = [new MortalProcess(), new MortalProcess()];
  const pool = await node.start(first, end);
  await pool.calls.inventory(); // that of its start is done
  const [orphan, ...others] = await plantStrangers(node, pool, "elsewhere");
  if (orphan === undefined) throw new Error("there is no orphan");
  const moments: string[] = [];
  first.onMoment = (moment) => {
    moments.push(moment);
    if (moments.length - 1 === at) first.die();
  };
  await act(pool, orphan.number).catch((error: unknown) => {
    if (!first.dead) throw error;
  });
  expect(first.dead).toBe(at !== undefined);
  first.kill();
  try {
    const successor = await node.start(second, end);
    for (let times = 0; times < 2; times++) {
      await act(successor, orphan.number);
      await expectAgreement(node, successor, others);
      await verify(node, successor, orphan);
    }
  } catch (error) {
    throw new Error(`ended ${at === undefined ? "when all was done" : `at "${moments[at]}"`}: ${String(error)}`, { cause: error });
  }
  return moments;
}

describe.each(ENDS)("what is asked for of an orphan is said again after %s at any step of", (end) => {
  test.each([adoption, removal])("its $name", async (wish) => {
    const moments = await liveTwice(wish, end, undefined);
    expect(moments.length).toBeGreaterThan(3);
    for (const at of moments.keys()) await liveTwice(wish, end, at);
  });
});
