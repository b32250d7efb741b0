import { statfsSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { MAXIMUM_METADATA_BYTES } from "../../config/metadata-size.ts";
import type { LoopBacking } from "../../config/pool-description.ts";
import { DmthinError } from "../../errors.ts";
import { run } from "../../exec/run.ts";
import { bytes, formatBytes, type Bytes } from "../../units.ts";
import { findBlockDevice } from "./block-device.ts";
import type { Grower, Growth, HostSpace, Part, PartSizes } from "./growth.ts";
import { writeOut } from "./write-out.ts";

const FILES: Readonly<Record<Part, string>> = { data: "data.img", metadata: "metadata.img" };
const BYTES_PER_STAT_BLOCK = 512;

/** Files grow as far as the description lets them, and as the filesystem below can back all that they promise. */
export class LoopGrowth implements Growth {
  readonly #pool: string;
  readonly #backing: LoopBacking;
  readonly least: PartSizes;

  constructor(pool: string, backing: LoopBacking) {
    this.#pool = pool;
    this.#backing = backing;
    this.least = { data: backing.dataSize, metadata: backing.metadataSize };
  }

  // In the pool's own thread, as all its disks are looked at: one that hangs must not take one of libuv's four.
  readonly hostSpace = (): HostSpace => {
    const { bavail, bsize } = statfsSync(this.#backing.directory);
    return { freeBytes: bytes(bavail * bsize), reserveBytes: this.#backing.hostReserve };
  };

  async room(current: PartSizes, grower: Grower): Promise<PartSizes> {
    const { freeBytes, reserveBytes } = this.hostSpace();
    // The data file is sparse: what it does not have yet is promised already.
    const { size, blocks } = statSync(this.#path("data"));
    const promised = Math.max(size - blocks * BYTES_PER_STAT_BLOCK, 0);
    const left = freeBytes - reserveBytes - promised;
    const most = grower === "care" ? this.#backing.maximumDataSize : Number.MAX_SAFE_INTEGER;
    return { data: atLeastNothing(Math.min(left, most - current.data)), metadata: atLeastNothing(Math.min(left, MAXIMUM_METADATA_BYTES - current.metadata)) };
  }

  async grow(part: Part, to: Bytes): Promise<void> {
    const path = this.#path(part);
    try {
      await (part === "data" ? lengthen(path, to) : lengthenWritten(path, to));
    } catch (cause) {
      throw this.#refused(`${path} cannot be made ${formatBytes(to)} large`, "make room on its filesystem", cause);
    }
    const { stdout } = await run(["losetup", "--noheadings", "--output", "NAME", "--associated", path]);
    const [loopPath] = stdout.trim().split("\n");
    if (loopPath === undefined || loopPath === "") throw this.#refused(`${path} is attached to no loop device`, "start the driver anew");
    if (await isLarge(loopPath, to)) return;
    await run(["losetup", "--set-capacity", loopPath]);
    if (!(await isLarge(loopPath, to))) throw this.#refused(`${loopPath} has not become as large as ${path}`, "look at losetup --list");
  }

  #path(part: Part): string {
    return join(this.#backing.directory, FILES[part]);
  }

  #refused(reason: string, remedy: string, cause?: unknown): DmthinError {
    return new DmthinError({ code: "pool-unchanged", pool: this.#pool, reason, remedy }, { cause });
  }
}

const atLeastNothing = (value: number): Bytes => bytes(Math.max(Math.floor(value), 0));

const isLarge = async (path: string, size: Bytes): Promise<boolean> => ((await findBlockDevice(path))?.sizeBytes ?? 0) >= size;

async function lengthen(path: string, to: Bytes): Promise<void> {
  const file = await open(path, "r+");
  try {
    if ((await file.stat()).size < to) await file.truncate(to);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function lengthenWritten(path: string, to: Bytes): Promise<void> {
  const file = await open(path, "r+");
  try {
    await writeOut(file, to);
  } finally {
    await file.close();
  }
}
