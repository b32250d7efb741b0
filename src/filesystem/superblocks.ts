import { Buffer } from "node:buffer";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import type { Probed } from "./filesystems.ts";

/** Past the furthest superblock below. */
const PROBED_BYTES = 68 * 1024;
const DEADLINE_MS = 30_000;

/** Of ext4, and not of ext2 and ext3: extents, 64bit, flex_bg. Source: fs/ext4/ext4.h, EXT4_FEATURE_INCOMPAT_*. */
const EXT4_ONLY = 0x40 | 0x80 | 0x200;
const EXT = { magic: 1024 + 0x38, incompatible: 1024 + 0x60, uuid: 1024 + 0x68 } as const;
/** Source: fs/xfs/libxfs/xfs_format.h, struct xfs_dsb. */
const XFS = { magic: 0, uuid: 32 } as const;
/** Source: include/uapi/linux/btrfs_tree.h, struct btrfs_super_block, at 64 KiB. */
const BTRFS = { magic: 65536 + 64, uuid: 65536 + 32 } as const;

/**
 * The filesystem whose superblock stands at the beginning of a device; undefined when there is none of ours, or more
 * than one: then blkid has to say what it is. Starts no program. Rejects with "deadline" when the disk does not answer,
 * and with "kernel-failed" when it cannot be read.
 */
export async function recognise(threads: Pick<BlockingThreads, "run">, device: string): Promise<Probed | undefined> {
  const blocks = await threads.run({ kind: "read", path: device, lengthBytes: PROBED_BYTES }, DEADLINE_MS).done;
  return blocks.length < PROBED_BYTES ? undefined : recogniseBlocks(Buffer.from(blocks.buffer, blocks.byteOffset, blocks.length));
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
