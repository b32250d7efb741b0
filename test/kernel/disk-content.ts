import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { output } from "../harness/program.ts";

const CHUNK = 1024 ** 2;
const ZEROES = Buffer.alloc(CHUNK);

/** What {@link contentOf} says of a disk on which nothing is but zeroes. */
export const BLANK = "blank";

/** All that stands on a disk, from its first byte to its last: a digest of what is not zero, and of where it is. */
export function contentOf(disk: string): string {
  output("blockdev", ["--flushbufs", disk]); // what the kernel keeps of the disk is not the disk
  const digest = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK);
  const fd = openSync(fileBelow(disk) ?? disk, "r");
  let isBlank = true;
  try {
    for (let offset = 0; ;) {
      const length = readSync(fd, chunk, 0, CHUNK, offset);
      if (length === 0) return isBlank ? BLANK : digest.digest("hex");
      if (chunk.compare(ZEROES, 0, length, 0, length) !== 0) {
        isBlank = false;
        digest.update(`${offset}\n`).update(chunk.subarray(0, length));
      }
      offset += length;
    }
  } finally {
    closeSync(fd);
  }
}

/** Of a loop device: its holes are read without taking memory. */
function fileBelow(disk: string): string | undefined {
  const told = `/sys/block/${basename(disk)}/loop/backing_file`;
  return existsSync(told) ? readFileSync(told, "utf8").trim() : undefined;
}
