import type { Buffer } from "node:buffer";
import { metadataBlocks, sectors, sectorsToBytes, type Bytes, type MetadataBlocks } from "../units.ts";

/**
 * What the first 4 KiB of a metadata device hold. The kernel makes a new pool of a device where all of them are zero,
 * without asking, and only of such a one. Source: drivers/md/dm-thin-metadata.c, struct thin_disk_superblock.
 */
export type ThinSuperblock =
  | { readonly kind: "blank" }
  | { readonly kind: "other" }
  | {
      readonly kind: "thin-pool";
      readonly version: number;
      readonly transactionId: number;
      /** The metadata block of the metadata snapshot, where there is one. */
      readonly heldMetadataRoot: number | undefined;
      readonly chunkSize: Bytes;
      readonly metadata: MetadataBlocks;
      /** thin_check must be run before the pool can be written again. */
      readonly needsCheck: boolean;
    };

export const SUPERBLOCK_SIZE = 4096;
const MAGIC = 27022010n;
const OFFSET = { flags: 4, magic: 32, version: 40, transactionId: 48, heldRoot: 56, chunkSectors: 336, metadataBlocks: 344 } as const;
const NEEDS_CHECK = 1;

/** The checksum is left to the kernel and to thin_check, which look at it before anything is written. */
export function parseThinSuperblock(block: Buffer): ThinSuperblock {
  if (block.length < SUPERBLOCK_SIZE) throw new RangeError(`a superblock has ${SUPERBLOCK_SIZE} bytes, not ${block.length}`);
  if (block.subarray(0, SUPERBLOCK_SIZE).every((byte) => byte === 0)) return { kind: "blank" };
  if (block.readBigUInt64LE(OFFSET.magic) !== MAGIC) return { kind: "other" };
  const heldRoot = Number(block.readBigUInt64LE(OFFSET.heldRoot));
  return {
    kind: "thin-pool",
    version: block.readUInt32LE(OFFSET.version),
    transactionId: Number(block.readBigUInt64LE(OFFSET.transactionId)),
    heldMetadataRoot: heldRoot === 0 ? undefined : heldRoot,
    chunkSize: sectorsToBytes(sectors(block.readUInt32LE(OFFSET.chunkSectors))),
    metadata: metadataBlocks(Number(block.readBigUInt64LE(OFFSET.metadataBlocks))),
    needsCheck: (block.readUInt32LE(OFFSET.flags) & NEEDS_CHECK) !== 0,
  };
}
