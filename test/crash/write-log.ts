import { readSync, writeSync } from "node:fs";

/**
 * The log of a log-writes device: every write in the order in which a flush made it last. What was never flushed is not
 * in it. Source: drivers/md/dm-log-writes.c, struct log_write_super and log_write_entry.
 */
const MAGIC = 0x6a736677736872n;
const [DISCARD, MARK] = [1n << 2n, 1n << 3n];
const SECTOR_BYTES = 512;
const ENTRY_BYTES = 32;

/** Applies the log, entry after entry, to a file; stops at each mark, with its name. */
export async function replay(log: number, target: number, atMark: (name: string) => Promise<void>): Promise<void> {
  const header = read(log, 0, SECTOR_BYTES);
  if (header.readBigUInt64LE(0) !== MAGIC) throw new Error("this is no log of writes");
  const entries = Number(header.readBigUInt64LE(16));
  const sectorBytes = header.readUInt32LE(24);
  let at = sectorBytes;
  for (let index = 0; index < entries; index++) {
    const entry = read(log, at, sectorBytes);
    const [sector, sectors, flags, markBytes] = [0, 8, 16, 24].map((offset) => entry.readBigUInt64LE(offset));
    at += sectorBytes;
    if (sector === undefined || sectors === undefined || flags === undefined) throw new Error("half an entry");
    const offset = Number(sector) * sectorBytes;
    const length = Number(sectors) * sectorBytes;
    if ((flags & MARK) !== 0n) await atMark(entry.toString("utf8", ENTRY_BYTES, ENTRY_BYTES + Number(markBytes)).replaceAll("\0", ""));
    else if ((flags & DISCARD) !== 0n) writeSync(target, Buffer.alloc(length), 0, length, offset);
    else {
      writeSync(target, read(log, at, length), 0, length, offset);
      at += length;
    }
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  readSync(fd, buffer, 0, length, at);
  return buffer;
}
