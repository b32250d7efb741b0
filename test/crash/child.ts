import type { Pool } from "../../src/pool/pool.ts";
import { until, type Bench } from "./bench.ts";
import { expectOwnInventory, expectRealAgreement, plantStranger } from "./real-agreement.ts";
import { realBench } from "./real-bench.ts";
import { leftovers, openReal, waitForLock, type Place } from "./real-driver.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

/** What a child is to do, as JSON in its only argument. */
export interface Orders {
  readonly place: Place;
  /** What the one before it was ended in: put right, asked for again, looked at, and taken away. */
  readonly after: { readonly scenario: string; readonly run: string } | undefined;
  /** What it is to be ended in, and at which moment: none tells the moments of a whole run, one a line. */
  readonly next: { readonly scenario: string; readonly run: string; readonly at: number | undefined; readonly strangerInTheWay: boolean } | undefined;
}

const orders = JSON.parse(process.argv[2] ?? "") as Orders;

function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
}

async function putRight(bench: Bench, scenario: Scenario): Promise<void> {
  await expectOwnInventory(orders.place, bench.pool);
  await expectRealAgreement(orders.place, bench.pool);
  await scenario.act(bench);
  await scenario.act(bench);
  await expectRealAgreement(orders.place, bench.pool);
  await scenario.verify(bench);
  await takeAway(bench.pool);
}

async function takeAway({ calls, view }: Pool): Promise<void> {
  for (const { id } of view.groups.values()) await calls.removeGroup(id);
  for (const { id, kind, state } of view.thins.values()) {
    if (kind === "volume" && state === "ready") await calls.setStaging(id, undefined);
    await calls.remove(id);
  }
  await until(() => view.thins.size === 0);
}

/** Ends this process at a moment of the act: before the kill returns, nothing of it runs any more. */
let onMoment: (moment: string) => void = () => undefined;

async function actUntil(bench: Bench, { scenario, at, strangerInTheWay }: NonNullable<Orders["next"]>): Promise<void> {
  const { prepare, act } = scenarioOf(scenario);
  await prepare(bench);
  await until(() => bench.pool.view.inventory !== undefined);
  if (strangerInTheWay) await plantStranger(orders.place, bench.pool);
  const moments: string[] = [];
  onMoment = (moment) => {
    moments.push(moment);
    if (moments.length - 1 === at) process.kill(process.pid, "SIGKILL");
  };
  await act(bench);
  onMoment = () => undefined;
  if (at !== undefined) throw new Error(`the act of "${scenario}" has no moment ${at}`);
  process.stdout.write(moments.map((moment) => `${moment}\n`).join(""));
}

const lock = await waitForLock(orders.place);
const { suspended } = leftovers();
if (suspended.length > 0) throw new Error(`the dead man's handle let go of the lock and left suspended: ${suspended.join(", ")}`);
const pool = await openReal(orders.place, lock, (transition, step, moment) => onMoment(`${moment} ${transition}: ${step}`));
if (orders.after !== undefined) await putRight(realBench(pool, orders.after.run, orders.place), scenarioOf(orders.after.scenario));
if (orders.next !== undefined) await actUntil(realBench(pool, orders.next.run, orders.place), orders.next);
await pool.close(10_000);
process.kill(process.pid, "SIGTERM"); // threads and handles of its are left to the kernel, as at any other end
