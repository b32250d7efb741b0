import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { parsePoolStatus } from "../../../src/devicemapper/thin-status.ts";
import { bytes, bytesToSectors, MiB, type Bytes } from "../../../src/units.ts";
import { line, number } from "../../contract/kernel/pools.ts";
import { describeDisk } from "../../contract/kernel/real.ts";
import { blankDisks } from "../../contract/volumes/real-machine.ts";
import { VolumeUser } from "../../demo/volume-user.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { Driver } from "../../harness/driver.ts";
import { labDisks } from "../../harness/standing.ts";
import { RECORD_BYTES } from "./fsync-writer.ts";

const [FIRST = "", SECOND = ""] = labDisks;
export const POOL = "full";
/** Longer than any answer takes that does not wait for room in the pool; and far below the minute for which writes wait there. */
const ANSWERED_MS = 45_000;

/** The driver as its users run it, on a pool that a test can fill and make larger. */
export class FullBench {
  readonly dm = new KernelDeviceMapper();
  readonly folder = mkdtempSync(join(tmpdir(), "dmthin-full-"));
  readonly #children: ChildProcess[] = [];
  #driver: Driver | undefined;
  #config: Readonly<Record<string, unknown>> = {};

  get driver(): Driver {
    if (this.#driver === undefined) throw new Error("the driver does not run");
    return this.#driver;
  }

  async start(sizes: { readonly data: Bytes; readonly metadata?: Bytes }, options: Readonly<Record<string, unknown>>): Promise<void> {
    const backing = { devices: { data: this.#part(FIRST, "data", sizes.data), metadata: this.#part(SECOND, "metadata", sizes.metadata ?? bytes(16 * MiB)) } };
    this.#config = { nodeName: "full", runDirectory: join(this.folder, "run"), pools: [{ name: POOL, backing, overcommitRatio: 1000, ...options }] };
    await this.restart();
  }

  async restart(): Promise<void> {
    this.#driver = await Driver.start(this.folder, this.#config);
  }

  async kill(): Promise<void> {
    await this.driver.stop("SIGKILL");
  }

  /** The disk below becomes larger, as an administrator makes it. */
  enlarge(name: "data" | "metadata", size: Bytes): void {
    this.dm.load(`CONTRACT-${name}`, [line(bytesToSectors(size), "linear", `${number(describeDisk(name === "data" ? FIRST : SECOND))} 0`)]);
    this.dm.suspend(`CONTRACT-${name}`, { noFlush: true, skipFreeze: true });
    this.dm.resume(`CONTRACT-${name}`);
  }

  user(filesystem: string): VolumeUser {
    return new VolumeUser(this.driver.client, this.folder, { mount: { fs_type: filesystem }, access_mode: { mode: "SINGLE_NODE_WRITER" } });
  }

  /** The pool as the kernel has it. */
  status(): ReturnType<typeof parsePoolStatus> {
    const pool = this.dm.list().find(({ name }) => name === `dmthin-${POOL}-pool`);
    return parsePoolStatus(this.dm.status(pool?.uuid ?? "", { noFlush: true })[0]?.status ?? "");
  }

  suspended(): readonly string[] {
    return this.dm
      .list()
      .filter(({ uuid }) => this.dm.info(uuid)?.suspended === true)
      .map(({ name }) => name);
  }

  get log(): string {
    return readFileSync(Driver.paths(this.folder).log, "utf8");
  }

  spawn(argv: readonly string[]): ChildProcess {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    return child;
  }

  writer(path: string, records: number, from = 0): FsyncWriter {
    return new FsyncWriter(
      this.spawn([
        process.execPath,
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "fsync-writer.ts"),
        path,
        String(records),
        String(from),
      ]),
    );
  }

  /** What is asked of the driver is answered, whatever the answer is: nothing hangs. */
  async answered<Result>(what: string, asked: Promise<Result>): Promise<{ readonly value: Result } | { readonly error: Error }> {
    const settled = asked.then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error as Error }),
    );
    const late = sleep(ANSWERED_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${what} was not answered; the pool is ${JSON.stringify(this.status())}, suspended are ${this.suspended().join()}:\n${this.log}`);
    });
    return Promise.race([settled, late]);
  }

  async done(what: string, asked: Promise<unknown>): Promise<void> {
    const answer = await this.answered(what, asked);
    if ("error" in answer) throw new Error(`${what} failed`, { cause: answer.error });
  }

  async until(what: string, reached: () => boolean): Promise<void> {
    for (const end = performance.now() + 50_000; performance.now() < end; await sleep(20)) if (reached()) return;
    throw new Error(`${what} never came to be; the pool is ${JSON.stringify(this.status())}:\n${this.log}`);
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    this.enlarge("data", describeDisk(FIRST).sizeBytes); // whoever still waits for room gets some
    await this.#driver?.stop("SIGKILL").catch(() => undefined);
    this.dm.close();
    cleanMachine();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #part(disk: string, name: "data" | "metadata", size: Bytes): string {
    this.dm.create(`contract-${name}`, `CONTRACT-${name}`);
    this.dm.load(`CONTRACT-${name}`, [line(bytesToSectors(size), "linear", `${number(describeDisk(disk))} 0`)]);
    this.dm.resume(`CONTRACT-${name}`);
    const path = `/dev/dm-${this.dm.info(`CONTRACT-${name}`)?.minor}`;
    blankDisks([path]);
    return path;
  }
}

/** A process that writes records and says which are on disk. */
export class FsyncWriter {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = "";

  constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
  }

  /** How many records are on disk. */
  get synced(): number {
    return this.#lines.filter((each) => /^\d+$/.test(each)).length;
  }

  /** "done", or the errno that ended it; undefined while it writes, or waits. */
  get end(): string | undefined {
    return this.#lines.find((each) => !/^\d+$/.test(each));
  }

  async ended(): Promise<string | undefined> {
    await this.#ended;
    return this.end;
  }

  get #lines(): readonly string[] {
    return this.#said.split("\n").slice(0, -1);
  }
}

/** Which of the first so many records are not what was written. */
export function damaged(path: string, records: number): readonly number[] {
  const content = readFileSync(path);
  return Array.from({ length: records }, (_, record) => record).filter((record) => {
    const expected = Buffer.alloc(RECORD_BYTES, String(record).padStart(8, "0"));
    return !content.subarray(record * RECORD_BYTES, (record + 1) * RECORD_BYTES).equals(expected);
  });
}
