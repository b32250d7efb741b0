import { spawn } from "node:child_process";
import { closeSync, constants, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { readRange } from "../../../src/pool/backings/block-device.ts";
import { drawMark, newVolumeUuid } from "../../../src/pool/backings/direct-lvm-mark.ts";
import { isLvmAtWork, tryPoolLock } from "../../../src/pool/pool-lock.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { labDisks as DISKS } from "../../harness/standing.ts";
import { endsOf, GROUP, lvm, newState, POOL, removeState, startChild } from "./rig.ts";

jest.setTimeout(240_000);
const [FIRST = "", SECOND = ""] = DISKS;
const LABEL_BYTES = 4096;
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

/** LVM writes into the labels of all disks that they are in use, and only then of the group: as if it had been killed between. */
async function claimWithoutGroup(): Promise<void> {
  const kept = DISKS.slice(0, 2).map((disk) => ({ disk, metadata: readRange(disk, LABEL_BYTES, MiB) }));
  await lvm(...DISKS).createVolumeGroup("interrupted", [FIRST, SECOND], { tags: [], extentBytes: bytes(4 * MiB) });
  for (const { disk, metadata } of kept) {
    const fd = openSync(disk, constants.O_WRONLY);
    writeSync(fd, metadata, 0, metadata.length, LABEL_BYTES);
    fsyncSync(fd);
    closeSync(fd);
  }
  const volumes = await lvm(...DISKS).physicalVolumes();
  expect(volumes.slice(0, 2)).toMatchObject([FIRST, SECOND].map((device) => ({ device, group: undefined, inUse: true })));
}

test("LVM killed when its labels say that the disks are in use, and nothing says of what: of the pool's own disks the group is made", async () => {
  expect(await startChild(state, WISH, "before vgcreate").ended).toMatchObject({ signal: "SIGKILL" });
  await claimWithoutGroup();
  await expectWhole();
});

test("a stranger's disk whose label says that it is in use is never taken, by force neither", async () => {
  for (const disk of [FIRST, SECOND]) await lvm(...DISKS).createPhysicalVolume(disk, newVolumeUuid(drawMark()));
  await claimWithoutGroup();
  const before = [FIRST, SECOND].map((disk) => endsOf(disk));
  const { output } = await startChild(state, { ...WISH, force: true }).ended;
  expect(output).toContain("it belongs to a volume group whose other disks are not named here");
  expect([FIRST, SECOND].map((disk, index) => endsOf(disk).equals(before[index] ?? Buffer.alloc(0)))).toEqual([true, true]);
});

test("LVM that is at work when its driver is killed keeps the pool from the next driver until it has ended", async () => {
  const runDirectory = state;
  // LVM's own lock of the volume group: what needs it waits for as long as somebody has it.
  mkdirSync("/run/lock/lvm", { recursive: true });
  const group = spawn("flock", [`/run/lock/lvm/V_${GROUP}`, "sleep", "1000"], { detached: true });
  const isAt = (wanted: string): boolean => lvmProcesses().some((argv) => argv.includes(wanted));
  const { child, ended } = startChild(state, WISH);
  while (!isAt("vgcreate")) await sleep(10);
  await sleep(500); // it has closed by now what it closes
  child.kill("SIGKILL");
  await ended;
  expect([isAt("vgcreate"), isLvmAtWork(runDirectory, POOL), tryPoolLock(runDirectory, POOL)]).toEqual([true, true, undefined]);
  const next = startChild(state, WISH);
  await sleep(1_000);
  expect(isAt("vgcreate")).toBe(true);
  expect(lvmProcesses()).toHaveLength(1);
  process.kill(-(group.pid ?? 0), "SIGKILL");
  expect((await next.ended).output).toMatch(/^ready/m);
  expect(isLvmAtWork(runDirectory, POOL)).toBe(false);
  await expectWhole();
});

/** The arguments of each. */
function lvmProcesses(): readonly (readonly string[])[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return argv[0] === "lvm" ? [argv] : [];
      } catch {
        return []; // gone meanwhile
      }
    });
}

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
