import { expect } from "@jest/globals";
import type { ThinListing } from "../../src/devicemapper/thin-tools.ts";
import { sectors } from "../../src/units.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { until } from "../crash/bench.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Where other people's thin devices are: far from our numbers, or on the very next ones too. */
export type Strangers = "elsewhere" | "in the way";

/** Distance from the next number of ours; `filled`: with content. */
export const FOREIGN: Readonly<Record<Strangers, readonly { readonly distance: number; readonly filled: boolean }[]>> = {
  elsewhere: [
    { distance: 1000, filled: true },
    { distance: 1001, filled: false },
  ],
  "in the way": [
    { distance: 0, filled: false },
    { distance: 1, filled: true },
    { distance: 1000, filled: true },
  ],
};

/** Makes thin devices behind the driver's back; answers them as thin_ls shows them. */
export async function plantStrangers(node: SimulatedNode, pool: Pool, strangers: Strangers): Promise<readonly ThinListing[]> {
  const next = Math.max(0, ...[...pool.view.thins.values()].map(({ number }) => number)) + 1;
  for (const { distance, filled } of FOREIGN[strangers]) {
    node.dm.message(node.poolUuid, `create_thin ${next + distance}`);
    if (filled) fill(node, next + distance);
  }
  const numbers = new Set(FOREIGN[strangers].map(({ distance }) => next + distance));
  return (await node.thins()).filter(({ number }) => numbers.has(number));
}

function fill({ dm, poolUuid, machine }: SimulatedNode, number: number): void {
  const pool = dm.info(poolUuid);
  if (pool === undefined) throw new Error("there is no pool");
  const { path } = machine.kernel.create("stranger", "STRANGER");
  dm.load("STRANGER", [{ start: sectors(0), length: sectors(1024), type: "thin", parameters: `${pool.major}:${pool.minor} ${number}` }]);
  dm.resume("STRANGER");
  const block = machine.kernel.block(path);
  block?.write(0, Buffer.alloc(65_536, 0xee));
  block?.flush();
  dm.remove("STRANGER");
}

/** Catalogue, thin_ls and kernel say the same; nothing is suspended, owed or held; strangers are as they were. */
export async function expectAgreement(node: SimulatedNode, pool: Pool, strangers: readonly ThinListing[]): Promise<void> {
  await until(() => [...pool.view.thins.values()].every(({ state }) => state === "ready"));
  const inventory = await pool.calls.inventory();
  expect(inventory.discrepancies).toEqual([]);
  const foreign = new Set(strangers.map(({ number }) => number));
  expect(inventory.orphans.filter(({ number }) => !foreign.has(number))).toEqual([]);
  const listed = await node.thins();
  expect(listed.filter(({ number }) => foreign.has(number))).toEqual(strangers);
  const ours = listed.filter(({ number }) => !foreign.has(number)).map(({ number, transactionId }) => ({ number, transactionId }));
  const known = [...pool.view.thins.values()].map(({ number, transactionId }) => ({ number, transactionId }));
  expect(ours).toEqual(known.toSorted((left, right) => left.number - right.number));
  expect(node.leftovers()).toEqual([]);
  expect((await pool.calls.refresh()).state).toBe("rw");
}
