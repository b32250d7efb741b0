import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";

/**
 * Writes records to a file, one after the other, each filled with its number and synced, and says each number on stdout
 * once it is on disk. What the kernel says no to is the last line. Ends by itself after so many records.
 */
const [path = "", count = "0", from = "0"] = process.argv.slice(2);
export const RECORD_BYTES = 512 * 1024;

function write(): void {
  const fd = openSync(path, "a");
  try {
    for (let record = Number(from); record < Number(count); record++) {
      writeSync(fd, Buffer.alloc(RECORD_BYTES, String(record).padStart(8, "0")));
      fsyncSync(fd);
      writeSync(1, `${record}\n`);
    }
    writeSync(1, "done\n");
  } finally {
    closeSync(fd);
  }
}

if (import.meta.main) {
  try {
    write();
  } catch (error) {
    writeSync(1, `${(error as { readonly code?: string }).code ?? "failed"}\n`);
  }
}
