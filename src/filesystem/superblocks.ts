import { Buffer } from "node:buffer";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import { bytes, type Bytes } from "../units.ts";
import type { Probed } from "./filesystems.ts";

/** Past the furthest superblock below. */
const PROBED_BYTES = 68 * 1024;
const DEADLINE_MS = 30_000;

/** Of ext4, and not of ext2 and ext3: extents, 64bit, flex_bg. Source: fs/ext4/ext4.h, EXT4_FEATURE_INCOMPAT_*. */
const EXT4_ONLY = 0x40 | 0x80 | 0x200;
const EXT = {
  blocksLow: 1024 + 4,
  logBlockSize: 1024 + 0x18,
  magic: 1024 + 0x38,
  incompatible: 1024 + 0x60,
  uuid: 1024 + 0x68,
  blocksHigh: 1024 + 0x150,
} as const;
const EXT_64BIT = 0x80;
/** Source: fs/xfs/libxfs/xfs_format.h, struct xfs_dsb. */
const XFS = { magic: 0, blockSize: 4, blocks: 8, uuid: 32 } as const;
/** Source: include/uapi/linux/btrfs_tree.h, struct btrfs_super_block, at 64 KiB. */
const BTRFS = { magic: 65536 + 64, uuid: 65536 + 32, totalBytes: 65536 + 112 } as const;

/**
 * The filesystem whose superblock stands at the beginning of a device; undefined when there is none of ours, or more
 * than one: then blkid has to say what it is. Starts no program. Rejects with "deadline" when the disk does not answer,
 * and with "kernel-failed" when it cannot be read.
 */
export async function recognise(threads: Pick<BlockingThreads, "run">, device: string): Promise<Probed | undefined> {
  const blocks = await readBlocks(threads, device);
  return blocks.length < PROBED_BYTES ? undefined : recogniseBlocks(blocks);
}

/** How large the filesystem says it is whose superblock stands at the beginning of a device. */
export async function readSize(threads: Pick<BlockingThreads, "run">, device: string): Promise<Bytes | undefined> {
  const blocks = await readBlocks(threads, device);
  return blocks.length < PROBED_BYTES ? undefined : sizeInBlocks(blocks);
}

async function readBlocks(threads: Pick<BlockingThreads, "run">, device: string): Promise<Buffer> {
  const blocks = await threads.run({ kind: "read", path: device, lengthBytes: PROBED_BYTES }, DEADLINE_MS).done;
  return Buffer.from(blocks.buffer, blocks.byteOffset, blocks.length);
}

/** The same for the device's first 68 KiB. A size that no device can have is damage, and none. */
function sizeInBlocks(blocks: Buffer): Bytes | undefined {
  const size = statedSize(blocks);
  return size !== undefined && Number.isSafeInteger(size) ? bytes(size) : undefined;
}

function statedSize(blocks: Buffer): number | undefined {
  switch (recogniseBlocks(blocks)?.type) {
    case "ext4": {
      const high = (blocks.readUInt32LE(EXT.incompatible) & EXT_64BIT) === 0 ? 0 : blocks.readUInt32LE(EXT.blocksHigh);
      return (high * 2 ** 32 + blocks.readUInt32LE(EXT.blocksLow)) * 1024 * 2 ** blocks.readUInt32LE(EXT.logBlockSize);
    }
    case "xfs":
      return Number(blocks.readBigUInt64BE(XFS.blocks)) * blocks.readUInt32BE(XFS.blockSize);
    case "btrfs":
      return Number(blocks.readBigUInt64LE(BTRFS.totalBytes));
    default:
      return undefined;
  }
}

/** The same for the device's first 68 KiB. */
export function recogniseBlocks(blocks: Buffer): Probed | undefined {
  const found: Probed[] = [];
  if (blocks.readUInt16LE(EXT.magic) === 0xef53) {
    if ((blocks.readUInt32LE(EXT.incompatible) & EXT4_ONLY) === 0) return undefined;
    found.push({ type: "ext4", uuid: uuidAt(blocks, EXT.uuid) });
  }
  if (blocks.toString("latin1", XFS.magic, XFS.magic + 4) === "XFSB") found.push({ type: "xfs", uuid: uuidAt(blocks, XFS.uuid) });
  if (blocks.toString("latin1", BTRFS.magic, BTRFS.magic + 8) === "_BHRfS_M") found.push({ type: "btrfs", uuid: uuidAt(blocks, BTRFS.uuid) });
  return found.length === 1 ? found[0] : undefined;
}

function uuidAt(blocks: Buffer, offset: number): string {
  const hex = blocks.toString("hex", offset, offset + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
