import { beforeEach, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recogniseBlocks } from "../../../src/filesystem/superblocks.ts";

const UUID = "0b6c1d8e-3f5a-4e0f-9d36-0d8c2f1a7b45";
let blocks: Buffer;
beforeEach(() => {
  blocks = Buffer.alloc(68 * 1024);
});

/** What each filesystem has at the beginning, as its kernel headers say. */
const put = {
  ext: (incompatible: number) => {
    blocks.writeUInt16LE(0xef53, 1080);
    blocks.writeUInt32LE(incompatible, 1120);
    blocks.write(UUID.replaceAll("-", ""), 1128, "hex");
  },
  xfs: () => {
    blocks.write("XFSB", 0);
    blocks.write(UUID.replaceAll("-", ""), 32, "hex");
  },
  btrfs: () => {
    blocks.write("_BHRfS_M", 65_600);
    blocks.write(UUID.replaceAll("-", ""), 65_568, "hex");
  },
};

test("a formatted volume is known without a program", () => {
  put.ext(0x2c2);
  expect(recogniseBlocks(blocks)).toEqual({ type: "ext4", uuid: UUID });
  blocks.fill(0);
  put.xfs();
  expect(recogniseBlocks(blocks)).toEqual({ type: "xfs", uuid: UUID });
  blocks.fill(0);
  put.btrfs();
  expect(recogniseBlocks(blocks)).toEqual({ type: "btrfs", uuid: UUID });
});

test("what is not certain is left to blkid: nothing, an ext2, two at once", () => {
  expect(recogniseBlocks(blocks)).toBeUndefined();
  put.ext(0x2);
  expect(recogniseBlocks(blocks)).toBeUndefined();
  blocks.fill(0);
  put.xfs();
  put.btrfs();
  expect(recogniseBlocks(blocks)).toBeUndefined();
});

test("what the machine's own mkfs.ext4 makes is recognised with its uuid", () => {
  const folder = mkdtempSync(join(tmpdir(), "superblocks-"));
  const image = join(folder, "image");
  writeFileSync(image, "");
  truncateSync(image, 16 * 1024 * 1024);
  expect(spawnSync("mkfs.ext4", ["-q", "-F", "-U", UUID, image], { env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" } }).status).toBe(0);
  const fd = openSync(image, "r");
  readSync(fd, blocks);
  closeSync(fd);
  rmSync(folder, { recursive: true });
  expect(recogniseBlocks(blocks)).toEqual({ type: "ext4", uuid: UUID });
});
