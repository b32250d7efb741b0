import { beforeEach, expect, test } from "@jest/globals";
import type { Logger } from "../../../../src/logger.ts";
import type { Decision } from "../../../../src/pool/care/care-decision.ts";
import { CareJournal } from "../../../../src/pool/care/care-journal.ts";
import type { CareEventKind } from "../../../../src/pool/care/care-report.ts";
import { bytes, chunks, GiB, metadataBlocks } from "../../../../src/units.ts";
import { HEALTHY } from "../../records.ts";

const decision = (data: boolean, metadata = false): Decision => ({ extend: [], whenFull: undefined, exhausted: { data, metadata }, nextLookMs: 1000 });

let lines: string[];
let journal: CareJournal;
beforeEach(() => {
  lines = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => logger };
  journal = new CareJournal(logger, { name: "fast", minimumFree: { dataPercent: 10, metadataPercent: 10 } });
});

const kinds = (): readonly CareEventKind[] => journal.events.map(({ kind }) => kind);

test("a healthy pool has nothing to tell, however often it is looked at", () => {
  for (let looks = 0; looks < 3; looks++) {
    journal.see(HEALTHY);
    journal.decided(decision(false), HEALTHY);
  }
  expect([kinds(), lines]).toEqual([[], []]);
});

test("what has begun is told once, and once more when it has ended", () => {
  const low = { ...HEALTHY, data: { used: chunks(91), total: chunks(100) } };
  for (const figures of [HEALTHY, low, low, low, HEALTHY, HEALTHY, low]) journal.see(figures);
  expect(kinds()).toEqual(["low", "enough", "low"]);
  expect(journal.counts).toMatchObject({ low: 2, enough: 1, state: 0 });
  expect(lines[0]).toBe(
    'warn: pool fast has 576 KiB of data space free, less than its minimum of 640 KiB: delete volumes or snapshots, or make the pool larger ("dmthin pool extend"; in a cluster its ThinPool)',
  );
  expect(lines[1]).toBe("info: the pool has enough data free again");
});

test("data and metadata are told of apart", () => {
  journal.see({ ...HEALTHY, data: { used: chunks(99), total: chunks(100) }, metadata: { used: metadataBlocks(99), total: metadataBlocks(100) } });
  expect(journal.events.map(({ kind, part }) => [kind, part])).toEqual([
    ["low", "data"],
    ["low", "metadata"],
  ]);
});

test("nothing left is an error, said once, with what to do", () => {
  const full = { ...HEALTHY, data: { used: chunks(85), total: chunks(100) } };
  for (const exhausted of [true, true, false, true]) journal.decided(decision(exhausted), full);
  expect(kinds()).toEqual(["exhausted", "replenished", "exhausted"]);
  expect(lines[0]).toBe("error: 85 % of the pool's data is used, and nothing is left to make it larger: add space below it, or delete volumes or snapshots");
});

test("metadata that is too small for any copy is a warning at the first look, once; what it can be given counts", () => {
  const pool = {
    ...HEALTHY,
    chunkSize: bytes(65_536),
    data: { used: chunks(0), total: chunks(16_384 * 1024) },
    metadata: { used: metadataBlocks(0), total: metadataBlocks(0) },
  };
  const thousandth = { ...pool, metadata: { ...pool.metadata, total: metadataBlocks(262_144) } };
  for (let looks = 0; looks < 3; looks++) journal.copies(thousandth, bytes(0));
  expect(lines).toEqual([
    expect.stringMatching(/^warn: the pool's metadata is too small for any snapshot, clone or restore: it lacks \d+(\.\d)? MiB; they are refused$/),
  ]);
  journal.copies(thousandth, bytes(GiB));
  journal.copies({ ...pool, metadata: { ...pool.metadata, total: metadataBlocks(2 * 262_144) } }, bytes(0));
  journal.copies(pool, bytes(0)); // it has failed, and tells nothing
  expect([lines.length, kinds()]).toEqual([1, []]);
});

test("each change of state is told, back to rw too; what a start finds is told unless it is rw", () => {
  for (const state of ["out_of_data_space", "out_of_data_space", "rw", "needs_check"] as const) journal.see({ ...HEALTHY, state });
  expect(journal.events.map(({ message }) => message)).toEqual([
    "the pool is in state out_of_data_space",
    "the pool is in state rw, after out_of_data_space",
    "the pool is in state needs_check, after rw",
  ]);
  expect(lines.map((line) => line.split(":")[0])).toEqual(["error", "info", "error"]);
});

test("a failed pool's figures are nought, and nothing is made of them", () => {
  journal.see(HEALTHY);
  journal.see({
    ...HEALTHY,
    state: "Fail",
    data: { used: chunks(0), total: chunks(0) },
    metadata: { used: metadataBlocks(0), total: metadataBlocks(0) },
    queuesWhenFull: false,
  });
  expect(kinds()).toEqual(["state"]);
});

test("whether writes wait or fail is told when it changes", () => {
  for (const queuesWhenFull of [true, false, false, true]) journal.see({ ...HEALTHY, queuesWhenFull });
  expect(kinds()).toEqual(["failing", "queueing"]);
  journal.see({ ...HEALTHY, state: "out_of_data_space", queuesWhenFull: false });
  expect(lines.filter((line) => line.includes("writes"))).toEqual([
    "info: from now on writes fail once the pool is full: it cannot be made larger",
    "info: from now on writes wait once the pool is full: it can be made larger",
    "warn: from now on writes fail, until the pool has room again",
  ]);
});

test("the filesystem below is told of when its reserve is touched, and when it has it back", () => {
  for (const free of [2, 0, 0, 2]) journal.see({ ...HEALTHY, host: { freeBytes: bytes(free * GiB), reserveBytes: GiB } });
  expect(kinds()).toEqual(["host-low", "host-enough"]);
  expect(lines[0]).toBe("warn: the filesystem below pool fast has 0 B free, less than its reserve of 1 GiB: make room there, or lower hostReserve");
});

test("extensions and failed ones are told each; the last twenty are kept, all are counted", () => {
  const at = new Date();
  for (let times = 0; times < 25; times++) journal.extended({ at, part: "data", fromBytes: GiB, toBytes: bytes(2 * GiB), by: "care" });
  expect(journal.failed("metadata", new Error("no room"))).toBe("no room");
  expect(kinds()).toEqual([...Array.from({ length: 19 }, () => "extended"), "extension-failed"]);
  expect(journal.counts).toMatchObject({ extended: 25, "extension-failed": 1 });
  expect(lines.at(-1)).toBe("error: the pool's metadata could not be made larger: no room");
});
