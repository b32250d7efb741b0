// An application that never stops: writes record after record, each only when the one before it is on disk, and tells how far it is.
// Arguments: the file to write, the file to tell in (8 bytes, on a tmpfs). Prints "NUMBER MILLISECONDS" of every record.
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";

const [file = "", progress = ""] = process.argv.slice(2);
const RECORD_BYTES = 512;
const RECORDS = 16_384; // then from the beginning again: the file keeps its size

const fd = openSync(file, "w");
const told = openSync(progress, "w");
for (let number = 1; ; number++) {
  const record = Buffer.alloc(RECORD_BYTES, number % 251);
  record.writeBigUInt64LE(BigInt(number), 0);
  writeSync(fd, record, 0, RECORD_BYTES, ((number - 1) % RECORDS) * RECORD_BYTES);
  fdatasyncSync(fd);
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(number), 0);
  writeSync(told, count, 0, 8, 0);
  try {
    writeSync(1, `${number} ${Math.round(performance.now())}\n`);
  } catch {
    closeSync(fd); // whoever listened has gone
    break;
  }
}
