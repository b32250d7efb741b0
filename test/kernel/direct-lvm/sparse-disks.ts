import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { output } from "../../harness/program.ts";

/**
 * Disks in the guest's memory, of which only what is written to them takes any: all of one can be made blank, and compared,
 * in less than a second.
 */
export class SparseDisks implements Disposable {
  readonly paths: readonly string[];
  readonly #folder = mkdtempSync("/dev/shm/dmthin-disks-");
  readonly #files: readonly string[];
  readonly #bytes: number;

  constructor(count: number, bytes: number) {
    this.#bytes = bytes;
    this.#files = Array.from({ length: count }, (_, index) => join(this.#folder, `disk-${index}`));
    this.paths = this.#files.map((file) => {
      closeSync(openSync(file, "wx"));
      truncateSync(file, bytes);
      return output("losetup", ["--find", "--show", file]).trim();
    });
  }

  /** Nobody may have them open. */
  blank(which = this.paths): void {
    for (const [index, disk] of this.paths.entries()) {
      if (!which.includes(disk)) continue;
      output("blockdev", ["--flushbufs", disk]);
      for (const bytes of [0, this.#bytes]) truncateSync(this.#files[index] ?? "", bytes);
      output("blockdev", ["--flushbufs", disk]); // what was read of it before
    }
  }

  /** What one takes of the memory. */
  bytesTaken(disk: string): number {
    return statSync(this.#files[this.paths.indexOf(disk)] ?? "").blocks * 512;
  }

  [Symbol.dispose](): void {
    for (const disk of this.paths) output("losetup", ["--detach", disk]);
    rmSync(this.#folder, { recursive: true });
  }
}
