import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { bytes, type Bytes } from "../units.ts";
import { checked } from "./checked.ts";
import { closeDescriptor, openDescriptor } from "./descriptor.ts";
import { libc } from "./libc.ts";

/** Writes out what the filesystem at the path holds in memory. May block for as long as its disk does. */
export function syncFilesystem(path: string): void {
  const fd = openDescriptor(path, "read");
  try {
    checked("syncfs", path, () => libc.syncfs(fd));
  } finally {
    closeDescriptor(fd);
  }
}

/** The first bytes of a file or a device; fewer where it is shorter. May block for as long as its disk does. */
export function readStart(path: string, lengthBytes: number): Uint8Array {
  const fd = openDescriptor(path, "read");
  try {
    const block = Buffer.alloc(lengthBytes);
    return block.subarray(0, readSync(fd, block, 0, lengthBytes, 0));
  } finally {
    closeDescriptor(fd);
  }
}

export interface FilesystemFigures {
  readonly totalBytes: Bytes;
  /** Free to root. */
  readonly freeBytes: Bytes;
  /** Free to everybody. */
  readonly availableBytes: Bytes;
  /** 0 on filesystems that do not count inodes (btrfs). */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** struct statfs of 64-bit Linux: longs at 8 bytes each. 120 bytes, and some to spare. */
const SIZE = 256;
const OFFSET = { blocks: 16, blocksFree: 24, blocksAvailable: 32, files: 40, filesFree: 48, fragmentSize: 72 } as const;

/** Blocks while the filesystem, or the device below it, is suspended. Source: statfs(2). */
export function statFilesystem(path: string): FilesystemFigures {
  const answer = Buffer.alloc(SIZE);
  checked("statfs", path, () => libc.statfs(path, answer));
  const long = (offset: number): number => Number(answer.readBigUInt64LE(offset));
  const inBytes = (offset: number): Bytes => bytes(long(offset) * long(OFFSET.fragmentSize));
  return {
    totalBytes: inBytes(OFFSET.blocks),
    freeBytes: inBytes(OFFSET.blocksFree),
    availableBytes: inBytes(OFFSET.blocksAvailable),
    totalInodes: long(OFFSET.files),
    freeInodes: long(OFFSET.filesFree),
  };
}
