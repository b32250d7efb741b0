import { expect, test } from "@jest/globals";
import type { PoolFigures } from "../../../src/pool/pool-calls.ts";
import { discardHindrance, type PoolSetup } from "../../../src/pool/setup.ts";
import { bytes, chunks, KiB, metadataBlocks, type Bytes } from "../../../src/units.ts";

const figures: PoolFigures = {
  state: "rw",
  transactionId: 1,
  chunkSize: bytes(512 * KiB),
  data: { used: chunks(0), total: chunks(10) },
  metadata: { used: metadataBlocks(0), total: metadataBlocks(10) },
  discardPassdown: false,
  queuesWhenFull: false,
};
const over = (discardMaxBytes: Bytes | undefined): PoolSetup => ({
  name: "dmthin-fast-pool",
  path: "/dev/dm-0",
  data: { path: "/dev/sdb", file: undefined, discardMaxBytes },
  metadata: { path: "/dev/sdc", file: undefined, discardMaxBytes: undefined },
  versions: { deviceMapper: "4.50.0", thinPool: "1.23.0", thin: "1.23.0" },
});

test("discards that are passed down need no reason; those that are not have one, by what the disk can", () => {
  expect(discardHindrance({ ...figures, discardPassdown: true }, over(bytes(0)))).toBeUndefined();
  expect(discardHindrance(figures, over(bytes(0)))).toBe("/dev/sdb takes no discards");
  expect(discardHindrance(figures, over(bytes(64 * KiB)))).toBe("/dev/sdb takes discards of at most 64 KiB at once, less than a chunk of 512 KiB");
  expect(discardHindrance(figures, over(bytes(1024 * KiB)))).toBe("its table says so");
  expect(discardHindrance(figures, over(undefined))).toBe("its table says so");
  expect(discardHindrance(figures, undefined)).toBe("its table says so");
  expect(discardHindrance({ ...figures, state: "Fail" }, over(undefined))).toBe("the pool has failed");
});
