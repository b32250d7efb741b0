import { Buffer } from "node:buffer";
import { expect, test } from "@jest/globals";
import { parseThinSuperblock } from "../../../src/devicemapper/thin-superblock.ts";
import { recordedBuffer } from "./fixtures.ts";

test("a pool's superblock", () => {
  expect(parseThinSuperblock(recordedBuffer("superblock"))).toEqual({
    kind: "thin-pool",
    version: 2,
    transactionId: 0,
    heldMetadataRoot: 18,
    chunkSize: 65536,
    metadata: 1024,
    needsCheck: false,
  });
});

test("transaction id and the mark that a check is needed", () => {
  const block = recordedBuffer("superblock");
  block.writeUInt32LE(1, 4);
  block.writeBigUInt64LE(4321n, 48);
  block.writeBigUInt64LE(0n, 56);
  expect(parseThinSuperblock(block)).toMatchObject({ transactionId: 4321, heldMetadataRoot: undefined, needsCheck: true });
});

test("zeros alone are blank: the kernel would format it, and a pool that was there would be lost", () => {
  expect(parseThinSuperblock(Buffer.alloc(4096))).toEqual({ kind: "blank" });
});

test.each([0, 32, 4095])("a single byte at %d that is not zero is somebody's", (at) => {
  const block = Buffer.alloc(4096);
  block[at] = 1;
  expect(parseThinSuperblock(block)).toEqual({ kind: "other" });
});

test("what lies behind the superblock does not count", () => {
  expect(parseThinSuperblock(Buffer.concat([Buffer.alloc(4096), Buffer.from("data")]))).toEqual({ kind: "blank" });
});

test("less than a superblock is refused: a short read must not pass for a blank device", () => {
  expect(() => parseThinSuperblock(Buffer.alloc(4095))).toThrow(RangeError);
});
