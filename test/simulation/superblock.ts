import { PAGE_BYTES } from "./pages.ts";

/** What the simulation keeps in the first block of a pool's metadata. Source: drivers/md/dm-thin-metadata.c, struct thin_disk_superblock. */
export interface Superblock {
  readonly needsCheck: boolean;
  readonly transactionId: number;
  /** Block number of the metadata snapshot; 0: none. */
  readonly heldRoot: number;
  readonly chunkSectors: number;
  readonly metadataBlocks: number;
}

const MAGIC = 27022010n;
const VERSION = 2;
const NEEDS_CHECK = 1;
const METADATA_BLOCK_SECTORS = 8;
/** Offsets in bytes, little endian. */
const AT = { flags: 4, magic: 32, version: 40, transactionId: 48, heldRoot: 56, chunkSectors: 336, metadataBlockSectors: 340, metadataBlocks: 344 };

export function encodeSuperblock(superblock: Superblock): Buffer {
  const block = Buffer.alloc(PAGE_BYTES);
  block.writeUInt32LE(superblock.needsCheck ? NEEDS_CHECK : 0, AT.flags);
  block.writeBigUInt64LE(MAGIC, AT.magic);
  block.writeUInt32LE(VERSION, AT.version);
  block.writeBigUInt64LE(BigInt(superblock.transactionId), AT.transactionId);
  block.writeBigUInt64LE(BigInt(superblock.heldRoot), AT.heldRoot);
  block.writeUInt32LE(superblock.chunkSectors, AT.chunkSectors);
  block.writeUInt32LE(METADATA_BLOCK_SECTORS, AT.metadataBlockSectors);
  block.writeBigUInt64LE(BigInt(superblock.metadataBlocks), AT.metadataBlocks);
  return block;
}

/** "blank" for nothing but zeroes, which the kernel formats in silence; "foreign" for what is no superblock. */
export function decodeSuperblock(block: Buffer): Superblock | "blank" | "foreign" {
  if (block.every((byte) => byte === 0)) return "blank";
  if (block.readBigUInt64LE(AT.magic) !== MAGIC) return "foreign";
  return {
    needsCheck: (block.readUInt32LE(AT.flags) & NEEDS_CHECK) !== 0,
    transactionId: Number(block.readBigUInt64LE(AT.transactionId)),
    heldRoot: Number(block.readBigUInt64LE(AT.heldRoot)),
    chunkSectors: block.readUInt32LE(AT.chunkSectors),
    metadataBlocks: Number(block.readBigUInt64LE(AT.metadataBlocks)),
  };
}
