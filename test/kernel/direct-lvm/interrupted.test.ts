import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { cleanMachine, DISKS, GROUP, lvm, newState, removeState, startChild } from "./rig.ts";

jest.setTimeout(240_000);
const [FIRST = "", SECOND = ""] = DISKS;
const WISH = { devices: [FIRST, SECOND] };
let state: string;

beforeAll(() => cleanMachine());
beforeEach(() => {
  state = newState();
});
afterEach(() => {
  cleanMachine();
  removeState(state);
});

async function expectWhole(): Promise<void> {
  const { output } = await startChild(state, WISH).ended;
  expect(output).toMatch(/^ready/m);
  const [group, ...others] = await lvm(...DISKS).volumeGroups();
  expect(others).toEqual([]);
  expect(group).toMatchObject({ name: GROUP, missingPhysicalVolumes: 0, tags: expect.arrayContaining(["dmthin", "dmthin-pool-direct"]) });
  expect((await lvm(...DISKS).physicalVolumes()).map(({ group: name }) => name)).toEqual([GROUP, GROUP]);
  const volumes = await lvm(...DISKS).logicalVolumes(GROUP);
  expect(volumes.map(({ name }) => name).toSorted()).toEqual(["catalog", "lvol0_pmspare", "pool", "pool_tdata", "pool_tmeta"]);
  expect(volumes.find(({ name }) => name === "pool")).toMatchObject({
    tags: ["dmthin"],
    active: true,
    pool: { profile: "dmthin-direct", zeroes: true, monitored: false, transactionId: 0 },
  });
  expect(volumes.find(({ name }) => name === "catalog")).toMatchObject({ tags: [], active: true });
}

test("killed after each of its steps in turn, and started again, it goes on from there and does none of them twice", async () => {
  const done: string[] = [];
  for (;;) {
    const probe = startChild(state, WISH, `after ${STEPS[done.length] ?? "nothing"}`);
    const { signal, output } = await probe.ended;
    const steps = [...output.matchAll(/^after (\S+)$/gm)].map(([, step = ""]) => step);
    done.push(...steps.filter((step) => step !== "mount" || !done.includes(step)));
    if (signal !== "SIGKILL") {
      expect(output).toMatch(/^ready/m);
      break;
    }
  }
  expect(done.filter((step) => ONCE.includes(step))).toEqual(ONCE);
  await expectWhole();
});

/** In their order; two disks. Those that only find things as they should be are taken at every start. */
const STEPS = [
  "mark",
  "pvcreate",
  "pvcreate",
  "vgcreate",
  "lvcreate-catalog",
  "mkfs",
  "formatted",
  "mount",
  "lvcreate-metadata",
  "lvcreate-data",
  "lvconvert",
  "tag",
  "activate",
];
const ONCE = STEPS.filter((step) => !["mark", "mount", "tag", "activate"].includes(step));

test.each([1, 2, 3])("killed with LVM in the middle of whatever it does, and started again, it ends whole (%d)", async (round) => {
  for (let kills = 0; kills < 4; kills++) {
    const { child, ended } = startChild(state, WISH);
    await Promise.race([ended, sleep(700 + round * 250 + kills * 500)]);
    killLvm();
    child.kill("SIGKILL");
    killLvm();
    await ended;
  }
  await expectWhole();
});

/** The guest's processes are ours alone. */
function killLvm(): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "lvm") process.kill(Number(pid), "SIGKILL");
    } catch {
      // gone meanwhile
    }
  }
}
