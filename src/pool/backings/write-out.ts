import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { MiB } from "../../units.ts";

/**
 * Writes zeros from a file's end on until it is that large, durably: a pool that cannot write its metadata turns read-only
 * at once, as it would over a sparse file when the filesystem below is full. Interrupted, it goes on when it is called again.
 */
export async function writeOut(file: FileHandle, to: number): Promise<void> {
  const zeros = Buffer.alloc(MiB);
  for (let { size } = await file.stat(); size < to;) {
    const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, to - size), size);
    size += bytesWritten;
  }
  await file.sync();
}
