import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { damaged, FullBench, type FsyncWriter } from "./bench.ts";
import { RECORD_BYTES } from "./fsync-writer.ts";

jest.setTimeout(240_000);
const FILESYSTEMS = ["ext4", "xfs"] as const;
const RECORDS = 300;
const DATA = bytes(320 * MiB);
const OPTIONS = { whenFull: "queue", minimumFree: "0%" };

let bench: FullBench;
beforeEach(() => {
  bench = new FullBench();
});
afterEach(async () => {
  await bench.dispose();
});

interface Source {
  readonly filesystem: string;
  readonly id: string;
  readonly file: string;
  readonly writer: FsyncWriter;
}

/** Volumes with a writer each, in a pool that starts small. */
async function writing(): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const filesystem of FILESYSTEMS) {
    const user = bench.user(filesystem);
    const id = await user.create(filesystem, 2 * GiB);
    await user.stage(id);
    const file = join(await user.publish(id), "records");
    sources.push({ filesystem, id, file, writer: bench.writer(file, RECORDS) });
  }
  await bench.until("a first record of each writer", () => sources.every(({ writer }) => writer.synced > 0));
  return sources;
}

function hasRoom(): boolean {
  const status = bench.status();
  return "data" in status && status.mode !== "out_of_data_space";
}

const ended = (sources: readonly Source[]): boolean => sources.every(({ writer }) => writer.end !== undefined);

/** One snapshot after the other, as fast as they are answered, until the writers have ended. What was made is answered. */
async function snapshotting(sources: readonly Source[], between: () => Promise<void> = async () => undefined): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (let round = 0; !ended(sources); round++) {
    for (const { filesystem, id } of sources) {
      const answer = await bench.answered("CreateSnapshot", bench.user(filesystem).snapshot(`${filesystem}-${round}`, id));
      if ("value" in answer) made.set(answer.value, filesystem);
    }
    await between();
    await sleep(50);
  }
  return made;
}

async function expectNothingLost(sources: readonly Source[]): Promise<void> {
  for (const { file, writer } of sources) {
    expect(await writer.ended()).toBe("done");
    expect(damaged(file, RECORDS)).toEqual([]);
  }
  expect(bench.suspended()).toEqual([]);
}

/** Each copy is a filesystem that mounts, with whole records up to where it was made. */
async function expectCopies(made: Map<string, string>): Promise<void> {
  const [first, last] = [[...made].at(0), [...made].at(-1)];
  for (const [snapshot, filesystem] of [first, last].flatMap((each) => (each === undefined ? [] : [each]))) {
    const user = bench.user(filesystem);
    const id = await user.create(`restored-${snapshot}`, 2 * GiB, { snapshot });
    await user.stage(id);
    const file = join(await user.publish(id), "records");
    const whole = Math.floor(statSync(file).size / RECORD_BYTES);
    expect(damaged(file, whole)).toEqual([]);
    await user.release(id);
  }
}

test("snapshots of volumes whose writers fill the pool while it is made larger: no application stays frozen, and nothing is lost", async () => {
  await bench.start({ data: DATA }, OPTIONS);
  const sources = await writing();
  let size = DATA as number;
  const made = await snapshotting(sources, async () => {
    const status = bench.status();
    if ("data" in status && status.data.used / status.data.total > 0.9) bench.enlarge("data", bytes((size += 64 * MiB)));
  });
  await expectNothingLost(sources);
  expect(made.size).toBeGreaterThan(2);
  expect(size).toBeGreaterThan(DATA + 64 * MiB);
  await expectCopies(made);
});

test("the driver is killed again and again meanwhile: nobody stays frozen, and nothing is lost", async () => {
  await bench.start({ data: DATA }, OPTIONS);
  const sources = await writing();
  let [size, kills] = [DATA as number, 0];
  const killing = (async (): Promise<void> => {
    for (; !ended(sources); kills++) {
      await sleep(1_000 + 700 * (kills % 4));
      bench.enlarge("data", bytes((size += 48 * MiB)));
      await sleep(300 * (kills % 3));
      // The kernel lets writes wait for a minute: every other driver lives until there is room again.
      if (kills % 2 === 1) await bench.until("room in the pool", hasRoom);
      await bench.kill();
      await bench.until("applications that are not frozen", () => bench.suspended().length === 0);
      await bench.restart();
    }
  })();
  const made = await snapshotting(sources);
  await killing;
  await expectNothingLost(sources);
  expect(kills).toBeGreaterThan(1);
  await expectCopies(made);
});

test("a writer whose data is still in memory when the pool fills: a snapshot never waits for room that only growth makes", async () => {
  await bench.start({ data: DATA }, OPTIONS);
  const user = bench.user("ext4");
  const id = await user.create("buffered", 2 * GiB);
  await user.stage(id);
  const path = await user.publish(id);
  let [size, made] = [DATA as number, 0];
  const growing = setInterval(() => {
    const status = bench.status();
    if ("data" in status && status.mode === "out_of_data_space" && status.data.used === status.data.total && status.data.total * 64 * 1024 >= size)
      bench.enlarge("data", bytes((size += 128 * MiB)));
  }, 1_000);
  try {
    for (let round = 0; round < 3; round++) {
      const dd = bench.spawn(["dd", "if=/dev/zero", `of=${join(path, `file-${round}`)}`, "bs=1M", "count=240", "conv=fsync", "status=none"]);
      for (let attempt = 0; dd.exitCode === null; attempt++) {
        const answer = await bench.answered("CreateSnapshot", user.snapshot(`buffered-${round}-${attempt}`, id));
        if ("value" in answer) made++;
        await sleep(20);
      }
      expect(dd.exitCode).toBe(0);
    }
    expect(made).toBeGreaterThan(1);
  } finally {
    clearInterval(growing);
  }
  expect(bench.suspended()).toEqual([]);
});
