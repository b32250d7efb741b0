import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { run } from "../../../src/exec/run.ts";
import { probe } from "../../../src/filesystem/probe.ts";
import { silentLogger } from "../../../src/logger.ts";
import { readMark, writeMark } from "../../../src/pool/backings/direct-lvm-mark.ts";
import { lvmLockOf } from "../../../src/pool/pool-lock.ts";
import { takeBack } from "../../../src/pool/take-back.ts";
import { MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { labDisks as DISKS } from "../../harness/standing.ts";
import { describePool, dm, endsOf, newState, openPool, POOL, removeState } from "./rig.ts";

jest.setTimeout(180_000);
const [FIRST = "", SECOND = ""] = DISKS;
const WISH = { devices: [FIRST, SECOND] };
const BOOT_ID = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
let states: string[];

beforeAll(() => cleanMachine());
beforeEach(() => {
  states = [newState(), newState()];
});
afterEach(() => {
  cleanMachine();
  for (const state of states) removeState(state);
});

const before = (): string => states[0] ?? "";
const anew = (): string => states[1] ?? "";

/** A pool with a volume, as a machine that is no more has left it; answers its uuid. */
async function left(): Promise<string> {
  const pool = await openPool(before(), WISH);
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  await pool.calls.createVolume({
    id: volumeId("a"),
    name: "a",
    sizeBytes: MiB,
    origin: { kind: "blank" },
    filesystem: undefined,
    capabilities: [],
    mkfsOptions: [],
    parameters,
  });
  await pool.close(10_000);
  return pool.view.poolUuid ?? "";
}

async function takeBackAs(...recorded: readonly string[]): Promise<boolean> {
  const parts = {
    dm,
    stateDirectory: join(anew(), POOL),
    lvmLock: lvmLockOf(anew(), POOL),
    logger: silentLogger,
    bootId: BOOT_ID,
    probe: async (device: string, signal?: AbortSignal) => probe(run, device, signal),
  };
  return takeBack(describePool(WISH), parts, recorded);
}

const mark = async () => readMark(join(anew(), POOL));
const isMounted = (): boolean => readFileSync("/proc/self/mountinfo", "utf8").includes("catalog-volume");

test("a machine that was made anew takes back the pool that is on record as its own, with all that it holds", async () => {
  const uuid = await left();
  expect(await takeBackAs("another", uuid)).toBe(true);
  expect(await mark()).toMatchObject({ phase: "made" });
  expect(isMounted()).toBe(false);
  const pool = await openPool(anew(), WISH);
  expect(pool.view.poolUuid).toBe(uuid);
  expect([...pool.view.thins.keys()]).toEqual([volumeId("a")]);
  expect(await pool.calls.inventory()).toEqual({ orphans: [], discrepancies: [] });
  await pool.close(10_000);
  expect(await takeBackAs(uuid)).toBe(false);
});

test("a pool of the same name that is not on record is left as it is, and its disks are refused", async () => {
  await left();
  const ends = DISKS.map((disk) => endsOf(disk));
  for (const recorded of [[], ["another"]]) {
    expect(await takeBackAs(...recorded)).toBe(false);
    expect(await mark()).toBeUndefined();
    expect(isMounted()).toBe(false);
  }
  expect(DISKS.map((disk, index) => ends[index]?.equals(endsOf(disk)))).toEqual(DISKS.map(() => true));
  await expect(openPool(anew(), WISH)).rejects.toMatchObject({ facts: { code: "pool-refused", remedy: expect.stringContaining("dmthin pool import") } });
});

test("an interruption is gone on from; what somebody else has begun to import stays begun", async () => {
  const uuid = await left();
  const made = await readMark(join(before(), POOL));
  if (made === undefined) throw new Error("the pool was never made");
  await writeMark(join(anew(), POOL), { ...made, phase: "importing" });
  expect(await takeBackAs("another")).toBe(false);
  expect(await mark()).toMatchObject({ phase: "importing" });
  expect(await takeBackAs(uuid)).toBe(true);
  expect(await mark()).toMatchObject({ phase: "made" });
});

test("blank disks are nobody's, and a new pool is made of them", async () => {
  expect(await takeBackAs("another")).toBe(false);
  expect(existsSync(join(anew(), POOL))).toBe(false);
  const pool = await openPool(anew(), WISH);
  expect(pool.view.thins.size).toBe(0);
  await pool.close(10_000);
});
