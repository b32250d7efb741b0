import type { Stats } from "node:fs";
import { mkdir, open, rm, rmdir, stat, statfs, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoopBacking } from "../../config/pool-description.ts";
import { DmthinError } from "../../errors.ts";
import { run } from "../../exec/run.ts";
import { ignoreMissing, putInPlace, unfinishedOf } from "../../files.ts";
import { tryLock, type Lock } from "../../linux/lock.ts";
import { formatBytes } from "../../units.ts";
import type { BackingDevice, BackingDevices, PoolBacking } from "./backing.ts";
import { findBlockDevice } from "./block-device.ts";
import { CATALOG_COPY } from "../catalog-copy.ts";
import { isInContainerLayer } from "./container-layer.ts";
import { LoopGrowth } from "./loop-growth.ts";
import { writeOut } from "./write-out.ts";

const LOSETUP_DEADLINE_MS = 30_000;
const LOCK_RETRY_MS = 20;
type FileName = "data.img" | "metadata.img";

/**
 * Two files on loop devices. The data file is sparse; the metadata file is written out in full, since a pool that cannot
 * write its metadata turns read-only at once, as it would when the filesystem below is full.
 */
export class LoopFiles implements PoolBacking {
  readonly #pool: string;
  readonly #backing: LoopBacking;
  readonly growth: LoopGrowth;
  readonly catalogCopyFolder: string;

  constructor(pool: string, backing: LoopBacking) {
    this.#pool = pool;
    this.#backing = backing;
    this.catalogCopyFolder = backing.directory;
    this.growth = new LoopGrowth(pool, backing);
  }

  async provision(): Promise<void> {
    const { directory, dataSize, metadataSize } = this.#backing;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (await isInContainerLayer(directory)) {
      const remedy = "mount a folder of the host there (the chart's node.loopDirectories), or choose one below /var/lib/dmthin";
      throw this.#refused(`${directory} is in the container's own layer, and would be gone when the container is made anew`, remedy);
    }
    const data = await existing(this.#path("data.img"));
    if (data !== undefined && data.blocks > 0) {
      throw this.#refused(`${this.#path("data.img")} holds data that no catalogue knows`, "put the pool's catalogue back, or move the file away");
    }
    await this.#requireRoom(metadataSize);
    await this.#make("metadata.img", async (file) => writeOut(file, metadataSize));
    await this.#make("data.img", async (file) => file.truncate(dataSize));
  }

  /** The metadata file takes all of its size at once. */
  async #requireRoom(metadataSize: number): Promise<void> {
    if ((await existing(this.#path("metadata.img"))) !== undefined) return;
    const { bavail, bsize } = await statfs(this.#backing.directory);
    if (bavail * bsize > metadataSize) return;
    const reason = `its metadata file takes ${formatBytes(metadataSize)}, and ${this.#backing.directory} has ${formatBytes(bavail * bsize)} left`;
    throw this.#refused(reason, "make room there, choose another directory, or a smaller dataSize or metadataSize");
  }

  async attach(): Promise<BackingDevices> {
    return { data: await this.#attach("data.img"), metadata: await this.#attach("metadata.img") };
  }

  /** Detaches the files, whichever loop devices show them. */
  async release(): Promise<void> {
    for (const name of ["data.img", "metadata.img"] as const) {
      const path = this.#path(name);
      if ((await existing(path)) === undefined) continue;
      const { stdout } = await run(["losetup", "--list", "--noheadings", "--output", "NAME", "--associated", path], { deadlineMs: LOSETUP_DEADLINE_MS });
      for (const device of stdout.split("\n").filter((line) => line.trim() !== "")) await run(["losetup", "--detach", device.trim()]);
    }
  }

  async wipe(): Promise<void> {
    await this.release();
    // The metadata first: while it is there, who begins anew looks for both.
    for (const name of ["metadata.img", "data.img"] as const) await rm(this.#path(name), { force: true });
    await rm(join(this.#backing.directory, CATALOG_COPY), { force: true });
    await rmdir(this.#backing.directory).catch(() => undefined); // it stays where it holds something else
  }

  #path(name: FileName): string {
    return join(this.#backing.directory, name);
  }

  /** Under another name until it is whole and on disk, so that a file with the name is never half a file. */
  async #make(name: FileName, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    const path = this.#path(name);
    if ((await existing(path)) !== undefined) return;
    const unfinished = unfinishedOf(path);
    await rm(unfinished, { force: true });
    const file = await open(unfinished, "wx", 0o600);
    try {
      await fill(file);
      await file.sync();
    } catch (error) {
      await rm(unfinished, { force: true });
      throw this.#refused(`${path} cannot be made`, "make room on its filesystem, or choose another directory or a smaller size", error);
    } finally {
      await file.close();
    }
    await putInPlace(unfinished, path);
  }

  /** A file that is attached already is found, never attached twice: two pools over one file would destroy each other. */
  async #attach(name: FileName): Promise<BackingDevice> {
    const path = this.#path(name);
    if ((await existing(path)) === undefined) throw this.#refused(`${path} is gone`, "put it back");
    const loopPath = await this.#attachAlone(path);
    await this.#goDirect(loopPath);
    const device = await findBlockDevice(loopPath);
    if (device === undefined) throw this.#refused(`${path} was attached as ${loopPath}, which is no block device`, "look at losetup --list");
    return { ...device, file: path };
  }

  /** losetup looks first and attaches then: two of it at the same moment would attach a file twice. */
  async #attachAlone(path: string): Promise<string> {
    const lock = await this.#lock(path);
    try {
      const options = { deadlineMs: LOSETUP_DEADLINE_MS, inherit: [lock.fd] };
      return (await run(["losetup", "--find", "--show", "--nooverlap", path], options)).stdout.trim();
    } finally {
      lock.release();
    }
  }

  async #lock(path: string): Promise<Lock> {
    for (const until = performance.now() + LOSETUP_DEADLINE_MS; performance.now() < until; await sleep(LOCK_RETRY_MS)) {
      const lock = tryLock(path);
      if (lock !== undefined) return lock;
    }
    throw new DmthinError({ code: "pool-not-ready", pool: this.#pool, reason: `another process attaches ${path}` });
  }

  /** Past the host's cache, where its filesystem can: else everything would be cached twice. */
  async #goDirect(loopPath: string): Promise<void> {
    await run(["losetup", "--direct-io=on", loopPath], { deadlineMs: LOSETUP_DEADLINE_MS, okExitCodes: [0, 1] });
  }

  #refused(reason: string, remedy: string, cause?: unknown): DmthinError {
    return new DmthinError({ code: "pool-refused", pool: this.#pool, reason, remedy }, { cause });
  }
}

const existing = async (path: string): Promise<Stats | undefined> => stat(path).catch(ignoreMissing);
