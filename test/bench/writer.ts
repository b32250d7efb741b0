import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const BLOCK = Buffer.alloc(64 * 1024, "w");
const FILE_BLOCKS = 256;

/** An application that writes and syncs 64 KiB some hundred times a second, over a file of 16 MiB, while `work` runs. */
export async function whileWriting<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const fd = openSync(join(folder, "busy"), "w");
  const ended = new AbortController();
  const writer = (async () => {
    for (let count = 0; !ended.signal.aborted; count++) {
      writeSync(fd, BLOCK, 0, BLOCK.length, (count % FILE_BLOCKS) * BLOCK.length);
      if (count % 4 === 0) fdatasyncSync(fd);
      await sleep(2);
    }
  })();
  try {
    return await work();
  } finally {
    ended.abort();
    await writer;
    closeSync(fd);
  }
}
