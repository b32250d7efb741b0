import { describe, expect, test } from "@jest/globals";
import { decide, sizesOf, thresholdPercent, type Situation } from "../../../../src/pool/care/care-decision.ts";
import type { PoolFigures, PoolState } from "../../../../src/pool/pool-calls.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks, MiB } from "../../../../src/units.ts";

const CHUNK = bytes(64 * KiB);
const untried = { failures: 0, msAgo: Infinity };

function figures(dataPercent: number, metadataPercent = 0, state: PoolState = "rw"): PoolFigures {
  const [data, metadata] = [GiB / CHUNK, (64 * MiB) / 4096];
  return {
    state,
    transactionId: 1,
    chunkSize: CHUNK,
    data: { used: chunks(Math.round((data * dataPercent) / 100)), total: chunks(data) },
    metadata: { used: metadataBlocks(Math.round((metadata * metadataPercent) / 100)), total: metadataBlocks(metadata) },
    discardPassdown: true,
    queuesWhenFull: true,
  };
}

const policy = (how: "auto" | "queue" | "error", threshold = 80) => ({
  autoextend: { thresholdPercent: threshold, percent: 20 },
  whenFull: how,
  minimumFree: { dataPercent: 10, metadataPercent: 10 },
});

const situation = (change: Partial<Situation>): Situation => ({
  figures: figures(10),
  policy: policy("auto"),
  room: { data: bytes(10 * GiB), metadata: bytes(GiB) },
  whenFull: "queue",
  tried: { data: untried, metadata: untried },
  forCopies: bytes(0),
  ...change,
});

const room = (data: number): Situation["room"] => ({ data: bytes(data), metadata: bytes(0) });
const failed = (failures: number) => ({ tried: { data: { failures, msAgo: 0 }, metadata: untried } });
const forCopies = (wanted: number, room: number) => decide(situation({ forCopies: bytes(wanted), room: { data: bytes(0), metadata: bytes(room) } }));
const whenFull = (change: Partial<Situation>) => decide(situation(change)).whenFull;

describe("extension", () => {
  test.each([
    [80, []],
    [80.1, [{ part: "data", to: CHUNK * Math.ceil((GiB * 1.2) / CHUNK) }]],
  ])("of data begins beyond its threshold: at %s %%", (used, extend) => {
    expect(decide(situation({ figures: figures(used) })).extend).toEqual(extend);
  });

  test.each([
    [75, []],
    [75.1, [{ part: "metadata", to: 77 * MiB }]],
  ])("of metadata begins beyond 75 %%: at %s %%", (used, extend) => {
    expect(decide(situation({ figures: figures(10, used) })).extend).toEqual(extend);
  });

  test("the threshold of metadata is the description's where that is earlier", () => {
    expect([50, 75, 80, 99, 100].map((threshold) => thresholdPercent("metadata", policy("auto", threshold)))).toEqual([50, 75, 75, 75, undefined]);
  });

  test("a part grows before its minimum of free space would refuse new volumes, where the threshold is later", () => {
    const strict = { ...policy("auto", 95), minimumFree: { dataPercent: 30, metadataPercent: 40 } };
    expect([thresholdPercent("data", strict), thresholdPercent("metadata", strict)]).toEqual([69, 59]);
    expect(decide(situation({ figures: figures(69.5), policy: strict })).extend).toMatchObject([{ part: "data" }]);
    expect(thresholdPercent("data", { ...strict, minimumFree: { dataPercent: 100, metadataPercent: 0 } })).toBe(1);
    expect(thresholdPercent("data", { ...strict, autoextend: { thresholdPercent: 100, percent: 20 } })).toBeUndefined();
  });

  test("metadata grows before its threshold where volumes could take more of it than is free, as far as there is room; without any, nothing is exhausted yet", () => {
    expect(forCopies(64 * MiB, GiB).extend).toEqual([]);
    expect(forCopies(65 * MiB, GiB).extend).toEqual([{ part: "metadata", to: 77 * MiB }]);
    expect(forCopies(164 * MiB, GiB).extend).toEqual([{ part: "metadata", to: 164 * MiB }]);
    expect(forCopies(164 * MiB, 50 * MiB).extend).toEqual([{ part: "metadata", to: 114 * MiB }]);
    expect(forCopies(164 * MiB, 0)).toMatchObject({ extend: [], exhausted: { metadata: false } });
  });

  test("metadata comes before data, which needs it", () => {
    expect(decide(situation({ figures: figures(90, 90) })).extend.map(({ part }) => part)).toEqual(["metadata", "data"]);
  });

  test("a full pool gets at least what brings it below its threshold, in whole chunks", () => {
    const halfway = { ...policy("auto", 50), autoextend: { thresholdPercent: 50, percent: 1 } };
    expect(decide(situation({ figures: figures(100, 0, "out_of_data_space"), policy: halfway })).extend).toEqual([{ part: "data", to: 2 * GiB }]);
  });

  test("when the percentage does not fit, there is what there is, in whole chunks", () => {
    const room = { data: bytes(10 * MiB + 4096), metadata: bytes(MiB) };
    expect(decide(situation({ figures: figures(90, 90), room })).extend).toEqual([
      { part: "metadata", to: 65 * MiB },
      { part: "data", to: GiB + 10 * MiB },
    ]);
  });

  test("metadata never becomes larger than the kernel can use", () => {
    const most = 255 * (2 ** 14 - 64) * 4096;
    const total = metadataBlocks(most / 4096 - 512);
    const large = { ...figures(10), metadata: { used: total, total } };
    expect(decide(situation({ figures: large, room: { data: bytes(0), metadata: bytes(GiB) } })).extend).toEqual([{ part: "metadata", to: most }]);
  });

  test.each<[PoolState, readonly string[]]>([
    ["rw", ["metadata", "data"]],
    ["out_of_data_space", ["metadata", "data"]],
    ["ro", ["metadata"]],
    ["needs_check", []],
    ["Fail", []],
    ["Error", []],
  ])("in state %s the kernel takes growth of %j", (state, parts) => {
    const decision = decide(situation({ figures: figures(100, 100, state) }));
    expect(decision.extend.map(({ part }) => part)).toEqual(parts);
    expect(decision.exhausted).toEqual({ data: false, metadata: false });
  });

  test("nothing is done, and nothing said to be exhausted, while it is unknown what there is", () => {
    expect(decide(situation({ figures: figures(100, 100), room: undefined }))).toMatchObject({
      extend: [],
      whenFull: undefined,
      exhausted: { data: false, metadata: false },
    });
  });

  test("with a threshold of 100 % nothing grows, and a pool that is as full as others when they do is exhausted", () => {
    const never = policy("auto", 100);
    const at = (used: number) => decide(situation({ figures: figures(used), policy: never }));
    expect(at(81)).toMatchObject({ extend: [], exhausted: { data: true, metadata: false } });
    expect(at(80)).toMatchObject({ extend: [], exhausted: { data: false, metadata: false } });
  });

  test.each([
    [{ failures: 1, msAgo: 1_999 }, 0],
    [{ failures: 1, msAgo: 2_000 }, 1],
    [{ failures: 5, msAgo: 31_999 }, 0],
    [{ failures: 5, msAgo: 32_000 }, 1],
    [{ failures: 50, msAgo: 59_999 }, 0],
    [{ failures: 50, msAgo: 60_000 }, 1],
  ])("what failed is tried again after a while that grows up to a minute: %j", (data, attempts) => {
    expect(decide(situation({ figures: figures(90), tried: { data, metadata: untried } })).extend).toHaveLength(attempts);
  });
});

describe("exhausted", () => {
  test.each([
    [90, CHUNK - 4096, true],
    [90, CHUNK, false],
    [80, 0, false],
  ])("data is at %s %% with %s bytes left: %s", (used, left, exhausted) => {
    const decision = decide(situation({ figures: figures(used), room: { data: bytes(left), metadata: bytes(0) } }));
    expect(decision.exhausted).toEqual({ data: exhausted, metadata: false });
  });

  test("metadata is by itself", () => {
    const decision = decide(situation({ figures: figures(10, 80), room: { data: GiB, metadata: bytes(0) } }));
    expect(decision).toMatchObject({ exhausted: { data: false, metadata: true }, extend: [] });
  });
});

describe("when full", () => {
  test("auto: writes wait while there is a chunk to be had, and fail when there is none", () => {
    expect(whenFull({ room: room(CHUNK) })).toBeUndefined();
    expect(whenFull({ room: room(CHUNK - 1) })).toBe("error");
  });

  test("auto: failing writes wait again when a hundredth can be added, and not for each block", () => {
    expect(whenFull({ whenFull: "error", room: room(Math.floor(GiB / 100)) })).toBeUndefined();
    expect(whenFull({ whenFull: "error", room: room(Math.ceil(GiB / 100)) })).toBe("queue");
  });

  test("auto: writes fail where nothing is made larger by itself, and after three failures", () => {
    expect(whenFull({ policy: policy("auto", 100) })).toBe("error");
    expect([2, 3].map((failures) => whenFull(failed(failures)))).toEqual([undefined, "error"]);
    expect(whenFull({ ...failed(3), whenFull: "error" })).toBeUndefined();
  });

  test("queue and error are what they say, whatever there is", () => {
    for (const left of [0, GiB]) {
      expect(whenFull({ policy: policy("queue"), whenFull: "error", room: room(left) })).toBe("queue");
      expect(whenFull({ policy: policy("error"), whenFull: "queue", room: room(left) })).toBe("error");
      expect(whenFull({ policy: policy("queue"), whenFull: "queue", room: room(left) })).toBeUndefined();
    }
  });

  test("it is left alone where it is not ours to change, and while the kernel takes no table", () => {
    expect(whenFull({ whenFull: undefined, room: room(0) })).toBeUndefined();
    for (const state of ["needs_check", "Fail", "Error"] as const) expect(whenFull({ figures: figures(10, 10, state), room: room(0) })).toBeUndefined();
  });
});

describe("the next look", () => {
  test.each([
    [0, 0, 10_000],
    [40, 0, 10_000],
    [60, 0, 5_500],
    [80, 0, 1_000],
    [100, 0, 1_000],
    [0, 75, 1_000],
    [60, 65, 3_400],
  ])("at %s %% of data and %s %% of metadata comes after %s ms", (data, metadata, ms) => {
    expect(Math.abs(decide(situation({ figures: figures(data, metadata) })).nextLookMs - ms)).toBeLessThan(15);
  });

  test("comes soon in any state but rw", () => {
    for (const state of ["out_of_data_space", "ro", "needs_check", "Fail", "Error"] as const)
      expect(decide(situation({ figures: figures(1, 1, state) })).nextLookMs).toBe(1_000);
  });
});

test("sizes are the kernel's, in bytes", () => {
  expect(sizesOf(figures(1))).toEqual({ data: GiB, metadata: 64 * MiB });
});
