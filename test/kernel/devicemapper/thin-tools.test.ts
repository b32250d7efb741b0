import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createSnap, createThin, RELEASE_METADATA_SNAP, RESERVE_METADATA_SNAP, setTransactionId } from "../../../src/devicemapper/thin-messages.ts";
import { parseThinSuperblock, SUPERBLOCK_SIZE } from "../../../src/devicemapper/thin-superblock.ts";
import { ThinToolsPrograms } from "../../../src/devicemapper/thin-tools-programs.ts";
import { bytes, KiB, MiB } from "../../../src/units.ts";
import { pathOf, Rig } from "./rig.ts";
import { output } from "../../harness/program.ts";

const tools = new ThinToolsPrograms();

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

function readBlock(path: string): Buffer {
  const block = Buffer.alloc(SUPERBLOCK_SIZE);
  const fd = openSync(path, "r");
  readSync(fd, block, 0, SUPERBLOCK_SIZE, 0);
  closeSync(fd);
  return block;
}

/** Two thin devices: 1 with 4 chunks of its own, and 2, its snapshot from when it had 2 of them; the pool's id is 7 then 8. */
function poolWithTwo(): { readonly uuid: string; readonly thin: string; readonly metadata: string } {
  const metadata = rig.loop(bytes(4 * MiB));
  const { info: pool } = rig.pool({ metadata });
  rig.dm.message(pool.uuid, setTransactionId(0, 7));
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, bytes(8 * MiB));
  const write = (chunk: number): void => void output("dd", ["if=/dev/urandom", `of=${pathOf(thin)}`, "bs=64K", "count=1", `seek=${chunk}`, "oflag=direct"]);
  write(0);
  write(1);
  rig.dm.suspend(thin.uuid);
  rig.dm.message(pool.uuid, setTransactionId(7, 8));
  rig.dm.message(pool.uuid, createSnap(2, 1));
  rig.dm.resume(thin.uuid);
  write(2);
  write(3);
  return { uuid: pool.uuid, thin: thin.uuid, metadata: metadata.path };
}

test("thin devices are listed beside a live pool, with the transaction id of their making", async () => {
  const { uuid, metadata } = poolWithTwo();
  rig.dm.message(uuid, RESERVE_METADATA_SNAP);
  expect(await tools.list(metadata, { live: true })).toEqual([
    { number: 1, mappedChunks: 4, exclusiveChunks: undefined, transactionId: 7 },
    { number: 2, mappedChunks: 2, exclusiveChunks: undefined, transactionId: 8 },
  ]);
  expect(await tools.list(metadata, { live: true, exclusive: true })).toMatchObject([
    { number: 1, exclusiveChunks: 2 },
    { number: 2, exclusiveChunks: 0 },
  ]);
  rig.dm.message(uuid, RELEASE_METADATA_SNAP);
});

test("without a metadata snapshot a live list is refused, rather than read from under the pool", async () => {
  const { metadata } = poolWithTwo();
  await expect(tools.list(metadata, { live: true })).rejects.toMatchObject({ facts: { code: "program-failed" } });
});

test("offline metadata is checked and listed; damaged, it is refused", async () => {
  const { uuid, thin, metadata } = poolWithTwo();
  rig.dm.remove(thin);
  rig.dm.remove(uuid);
  await tools.check(metadata);
  expect((await tools.list(metadata, { live: false })).map(({ number }) => number)).toEqual([1, 2]);
  const fd = openSync(metadata, "r+");
  writeSync(fd, Buffer.alloc(8 * SUPERBLOCK_SIZE, 0xa5), 0, 8 * SUPERBLOCK_SIZE, SUPERBLOCK_SIZE);
  closeSync(fd);
  await expect(tools.check(metadata)).rejects.toMatchObject({ facts: { code: "program-failed", argv: ["thin_check", metadata] } });
});

test("a metadata device's first block: blank before the pool, the pool's afterwards", () => {
  const metadata = rig.loop(bytes(4 * MiB));
  expect(parseThinSuperblock(readBlock(metadata.path))).toEqual({ kind: "blank" });
  const { info: pool } = rig.pool({ metadata });
  rig.dm.message(pool.uuid, setTransactionId(0, 4321));
  rig.dm.remove(pool.uuid);
  output("blockdev", ["--flushbufs", metadata.path]);
  expect(parseThinSuperblock(readBlock(metadata.path))).toEqual({
    kind: "thin-pool",
    version: 2,
    transactionId: 4321,
    heldMetadataRoot: undefined,
    chunkSize: 64 * KiB,
    metadata: 1024,
    needsCheck: false,
  });
  output("mkfs.ext4", ["-q", "-F", metadata.path]);
  output("blockdev", ["--flushbufs", metadata.path]);
  expect(parseThinSuperblock(readBlock(metadata.path)).kind).not.toBe("thin-pool");
});
