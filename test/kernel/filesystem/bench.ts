import { mkdir, mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../src/exec/run.ts";
import { deviceOf } from "../../../src/filesystem/device-number.ts";
import { LinuxFilesystems, type LinuxFilesystemsParts } from "../../../src/filesystem/linux-filesystems.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import type { LogFields, Logger } from "../../../src/logger.ts";

const MiB = 2 ** 20;
const SECTORS_PER_MIB = 2048;

let count = 0;

export interface Disk {
  readonly name: string;
  /** "/dev/dm-3" */
  readonly device: string;
  readonly major: number;
  readonly minor: number;
}

export interface LogLine {
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** Devices, folders and the real LinuxFilesystems for one test; all taken apart again, last made first. */
export class Bench implements AsyncDisposable {
  readonly filesystems: LinuxFilesystems;
  readonly lines: LogLine[] = [];
  readonly folder: string;
  readonly threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  /** Not mounted any more before any device goes. */
  readonly #targets: string[] = [];
  readonly #undo: (() => Promise<unknown>)[] = [];

  private constructor(folder: string, parts: Partial<LinuxFilesystemsParts>) {
    this.folder = folder;
    const log = (message: string, fields?: LogFields): void => void this.lines.push({ message, fields });
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
    this.filesystems = new LinuxFilesystems({ logger, run, threads: this.threads, ...parts });
  }

  static async set(parts: Partial<LinuxFilesystemsParts> = {}): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), "dmthin-fs-")), parts);
  }

  /** A sparse file on a loop device, for as much of it as is wanted below device-mapper. */
  async loop(sizeMiB: number): Promise<string> {
    const file = join(this.folder, `disk-${count++}`);
    await writeFile(file, "");
    await truncate(file, sizeMiB * MiB);
    const { stdout } = await run(["losetup", "--find", "--show", file]);
    const loop = stdout.trim();
    this.#later(async () => run(["losetup", "--detach", loop]));
    return loop;
  }

  async map(table: string, flags: readonly string[] = []): Promise<Disk> {
    const name = `fs-${process.pid}-${count++}`;
    await dmsetup(["create", name, "--uuid", `DMTHIN-test-${name}`, ...flags, "--table", table]);
    this.#later(async () => dmsetup(["remove", "--force", name]));
    const { stdout } = await dmsetup(["info", "--columns", "--noheadings", "--options", "major,minor", name]);
    const [major = 0, minor = 0] = stdout.trim().split(":").map(Number);
    return { name, device: `/dev/dm-${minor}`, major, minor };
  }

  /** A disk of its own. */
  async disk(sizeMiB: number): Promise<Disk> {
    return this.map(linear(await this.loop(sizeMiB), sizeMiB));
  }

  /** A target that the test makes. */
  target(name: string): string {
    const path = join(this.folder, name);
    this.#targets.push(path);
    return path;
  }

  async mountPoint(name: string): Promise<string> {
    const path = this.target(name);
    await mkdir(path);
    return path;
  }

  #later(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const target of this.#targets.toReversed()) await this.filesystems.unmount(target);
    for (const undo of this.#undo.toReversed()) await undo().catch(() => undefined);
    await this.threads.close();
    await rm(this.folder, { recursive: true });
  }
}

export const linear = (device: string, sizeMiB: number, fromMiB = 0): string => `0 ${sizeMiB * SECTORS_PER_MIB} linear ${device} ${fromMiB * SECTORS_PER_MIB}`;

export const dmsetup = async (args: readonly string[]): ReturnType<typeof run> => run(["dmsetup", ...args], { env: { DM_DISABLE_UDEV: "1" } });

/** Replaces a device's table while it is in use. */
export async function reload({ name }: Disk, table: string): Promise<void> {
  await dmsetup(["suspend", name]);
  await dmsetup(["load", name, "--table", table]);
  await dmsetup(["resume", name]);
}

export const deviceNumberOf = async (path: string): Promise<{ major: number; minor: number }> => ({ ...deviceOf((await stat(path)).rdev) });

/** What reaches the disk now, page cache apart, behind itself on the same loop device: as a power cut or a snapshot has it. */
export const copyBehind = async (loop: string, from: string, sizeMiB: number): Promise<unknown> =>
  run(["dd", `if=${from}`, `of=${loop}`, "bs=1M", `count=${sizeMiB}`, `seek=${sizeMiB}`, "iflag=direct", "oflag=direct", "conv=sparse,notrunc"]);
