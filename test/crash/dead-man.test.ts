import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { bundle } from "./bundle.ts";
import type { LoadOrders } from "./load-child.ts";
import { clearPlace, makePlace } from "./place.ts";
import { Program } from "./program.ts";
import { leftovers, type Place } from "./real-driver.ts";

jest.setTimeout(240_000);

/** The time is the promise here: an application that goes on later has noticed its driver's death, by its own clock and by what it has written. */
const BOUND_MS = 2_000;
/** For what a living driver does when it is let go, which nothing bounds on a busy machine. */
const PATIENCE_MS = 30_000;
const ROUNDS = 10;
/** Each round waits for 0, 1 or 2 whole snapshots before it kills; what the last one leaves, nobody looks at. */
const SURELY_MADE = 9;
const MOUNT_POINT = "/run/dmthin-crash/load";
const PROGRESS = "/run/dmthin-crash-progress";

let place: Place;
let [driver, rival] = ["", ""];
let writer: Program;
let go = 0;

const start = (orders: Pick<LoadOrders, "snapshots"> & Partial<LoadOrders>): Program => {
  const all = { place, mountPoint: MOUNT_POINT, progress: PROGRESS, dieAt: undefined, pauseAt: undefined, go: join("/run", `go${++go}`), ...orders };
  return new Program(driver, [JSON.stringify(all)]);
};

beforeAll(async () => {
  place = makePlace();
  [driver, rival] = [await bundle("load-child"), await bundle("rival")];
  expect(await start({ snapshots: 0 }).end()).toBe("SIGTERM");
  writer = new Program(join(import.meta.dirname, "writer.mjs"), [join(MOUNT_POINT, "records"), PROGRESS]);
  await writer.said("50 ");
});
afterAll(async () => {
  writer.kill();
  await writer.end();
  clearPlace(place, [MOUNT_POINT]);
});

const written = (): number => Number(readFileSync(PROGRESS).readBigUInt64LE(0));

/** The longest time between two records, by the application's own clock. */
function longestSilence(lines: readonly string[]): number {
  const times = lines.map((line) => Number(line.split(" ")[1]));
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
}

/** Nobody has been started: whatever is put right is put right by the dead man's handle. */
async function expectToGoOn(): Promise<void> {
  const before = written();
  const until = performance.now() + BOUND_MS;
  while (written() < before + 3 && performance.now() < until) await sleep(5);
  expect(written()).toBeGreaterThanOrEqual(before + 3);
  expect(leftovers().suspended).toEqual([]);
}

let moments: readonly string[] = [];

test("a driver that lives makes whole snapshots of a volume under load", async () => {
  const child = start({ snapshots: 1 });
  expect(await child.end()).toBe("SIGTERM");
  moments = child.lines.filter((line) => line.startsWith("moment "));
  expect(moments.filter((moment) => moment.includes("suspend"))).toHaveLength(2);
  expect(await start({ snapshots: 0 }).end()).toBe("SIGTERM");
});

test("killed before and after each step of a snapshot, the application goes on by itself, and every snapshot is whole", async () => {
  const from = writer.lines.length;
  for (const [dieAt, moment] of moments.entries()) {
    const child = start({ snapshots: 1, dieAt });
    expect(`${moment}: ${await child.end()}`).toBe(`${moment}: SIGKILL`);
    await expectToGoOn();
  }
  expect(await start({ snapshots: 0 }).end()).toBe("SIGTERM");
  expect(longestSilence(writer.lines.slice(from))).toBeLessThan(BOUND_MS);
});

test("killed at any time while it snapshots, the application goes on by itself, and every snapshot is whole", async () => {
  const from = writer.lines.length;
  let checked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const child = start({ snapshots: 1000 });
    checked += Number((await child.said("checked ")).split(" ")[1]);
    const whole = round % 3;
    await child.said(whole === 0 ? "ready" : `made ${whole}`);
    await sleep(Math.random() * 300);
    child.kill();
    expect(await child.end()).toBe("SIGKILL");
    await expectToGoOn();
  }
  expect(await start({ snapshots: 0 }).end()).toBe("SIGTERM");
  expect(checked).toBeGreaterThanOrEqual(SURELY_MADE);
  expect(longestSilence(writer.lines.slice(from))).toBeLessThan(BOUND_MS);
});

test("a second driver resumes nothing while the first one lives, and takes over when that has been killed", async () => {
  const pauseAt = moments.findIndex((moment) => moment.startsWith("moment after freeze: suspend"));
  const goFile = "/run/dmthin-crash-go";
  const first = start({ snapshots: 1000, pauseAt, go: goFile });
  await first.said("paused");
  const second = new Program(rival, [JSON.stringify(place)]);
  await second.said("locked");
  const frozen = written();
  await sleep(1500); // three times as long as it takes the second one to ask for the lock again
  expect(second.lines).toEqual(["locked"]);
  expect(leftovers().suspended).toHaveLength(1);
  expect(written()).toBe(frozen);
  writeFileSync(goFile, "");
  const until = performance.now() + PATIENCE_MS;
  while (written() === frozen && performance.now() < until) await sleep(5);
  expect(written()).toBeGreaterThan(frozen);
  first.kill();
  await expectToGoOn();
  await second.said("ready");
  second.kill();
  expect(await second.end()).toBe("SIGKILL");
});

test("a second driver gets the lock of one that died while it suspended only when its handle has resumed", async () => {
  const first = start({ snapshots: 1, pauseAt: moments.findIndex((moment) => moment.startsWith("moment after freeze: suspend")) });
  await first.said("paused");
  const second = new Program(rival, [JSON.stringify(place)]);
  await second.said("locked");
  expect(leftovers().suspended).toHaveLength(1);
  first.kill();
  await expectToGoOn();
  await second.said("ready");
  second.kill();
  expect(await second.end()).toBe("SIGKILL");
  expect(await start({ snapshots: 0 }).end()).toBe("SIGTERM");
});
