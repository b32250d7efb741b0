import { describe, expect, test } from "@jest/globals";
import { decodeTargets } from "../../../src/devicemapper/ioctl-buffer.ts";
import { parsePoolTarget, poolTarget, thinTarget, type PoolTable } from "../../../src/devicemapper/thin-table.ts";
import { bytes, chunks, KiB, sectors } from "../../../src/units.ts";
import { recordedBuffer } from "./fixtures.ts";

const pool: PoolTable = {
  metadata: { major: 7, minor: 1 },
  data: { major: 253, minor: 70001 },
  chunkSize: bytes(512 * KiB),
  lowWaterMark: chunks(100),
  features: [],
};

describe("a pool's table", () => {
  test("says its devices by number, sizes in sectors, and how many features follow", () => {
    expect(poolTarget(pool, sectors(4096))).toEqual({ start: 0, length: 4096, type: "thin-pool", parameters: "7:1 253:70001 1024 100 0" });
    expect(poolTarget({ ...pool, features: ["error_if_no_space", "skip_block_zeroing"] }, sectors(4096)).parameters).toBe(
      "7:1 253:70001 1024 100 2 skip_block_zeroing error_if_no_space",
    );
  });

  test("written from what was read is the same, so that an unchanged pool is not reloaded", () => {
    const [recorded] = decodeTargets(recordedBuffer("poolTable"));
    if (recorded === undefined) throw new Error("no target was recorded");
    const { text: parameters, ...target } = recorded;
    const parsed = parsePoolTarget({ ...target, parameters });
    expect(parsed).toMatchObject({ chunkSize: 65536, lowWaterMark: 3, features: ["skip_block_zeroing", "error_if_no_space"] });
    expect(parsed && poolTarget(parsed, target.length)).toEqual({ ...target, parameters });
  });

  test("keeps a feature that only a newer kernel knows", () => {
    const target = poolTarget({ ...pool, features: ["from_tomorrow", "read_only"] }, sectors(4096));
    expect(parsePoolTarget(target)?.features).toEqual(["read_only", "from_tomorrow"]);
  });

  test.each([
    ["another target", { type: "linear", parameters: "7:1 7:2 128 0 0" }],
    ["devices by path", { type: "thin-pool", parameters: "/dev/loop0 /dev/loop1 128 0 0" }],
    ["a part of a line", { type: "thin-pool", parameters: "7:1 7:2 128" }],
    ["an empty line", { type: "thin-pool", parameters: "" }],
  ])("%s is not one", (_, target) => {
    expect(parsePoolTarget({ start: sectors(0), length: sectors(8), ...target })).toBeUndefined();
  });
});

describe("a thin device's table", () => {
  const thin = { pool: { major: 254, minor: 3 }, number: 2 ** 24 - 1 };

  test("says pool and number", () => {
    expect(thinTarget(thin, sectors(2048))).toEqual({ start: 0, length: 2048, type: "thin", parameters: "254:3 16777215" });
  });
});
