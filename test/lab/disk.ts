import { closeSync, ftruncateSync, openSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { cacheFolder } from "./cache.ts";
import { run } from "./command.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** What is empty takes no room. */
const COPY = ["cp", "--sparse=always", "--reflink=auto", "--dereference"];

/** Bytes of a size such as `512M` or `8G` (powers of 1024). */
export function parseSize(text: string): number {
  const [, number, unit] = /^(\d+)([KMGT]?)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  if (number === undefined || factor === undefined) throw new Error(`"${text}" is not a size such as 512M or 8G`);
  return Number(number) * factor;
}

/**
 * A scratch disk for guests: a sparse image that keeps its content from one boot to the next. The file has no name
 * from the moment that it is made, so it is gone with the last process that holds it, however that one ends.
 */
export class Disk implements Disposable {
  /** Bytes. */
  readonly size: number;
  /** This process's descriptor of the image, handed to the guest. */
  readonly fd: number;

  private constructor(size: number, fd: number) {
    this.size = size;
    this.fd = fd;
  }

  /** @param size bytes, or text such as `8G` */
  static async create(size: number | string): Promise<Disk> {
    const bytes = typeof size === "number" ? size : parseSize(size);
    const file = join(await cacheFolder(), `disk-${randomUUID()}`);
    const fd = openSync(file, "wx+");
    unlinkSync(file);
    ftruncateSync(fd, bytes);
    return new Disk(bytes, fd);
  }

  /** A disk that begins with what a file holds, which stays as it is. */
  static async copyOf(file: string): Promise<Disk> {
    const copy = join(await cacheFolder(), `disk-${randomUUID()}`);
    try {
      await run([...COPY, file, copy]);
      return new Disk(statSync(copy).size, openSync(copy, "r+"));
    } finally {
      unlinkSync(copy);
    }
  }

  /** Keeps what it holds now in a file, for `copyOf`. */
  async saveTo(file: string): Promise<void> {
    await run([...COPY, `/proc/${process.pid}/fd/${this.fd}`, file]);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** The guest's names of its disks, in order: ubdb, ubdc and so on (ubda would be a root disk). */
export function deviceNames(disks: readonly Disk[]): readonly string[] {
  return disks.map((_, index) => `ubd${String.fromCodePoint(0x62 + index)}`);
}
