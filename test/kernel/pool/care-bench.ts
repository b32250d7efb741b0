import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import type { LogFields, Logger } from "../../../src/logger.ts";
import type { ActiveDevice } from "../../../src/pool/pool-calls.ts";
import { watchPools } from "../../../src/pool/care/watch-pools.ts";
import { WorkerPool } from "../../../src/pool/worker/worker-pool.ts";
import type { Bytes } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { describePool } from "../../crash/bench.ts";
import { blankDisks, lengthenPart, partOf } from "../../contract/volumes/real-machine.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { output } from "../../harness/program.ts";

const PARAMETERS = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
export const POOL = "care";

/** A pool as the driver runs it: in its worker, looked after by clock and events; what it logs is kept. */
export class CareBench {
  readonly dm = new KernelDeviceMapper();
  readonly folder = mkdtempSync(join(tmpdir(), "dmthin-care-"));
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly #writers: ChildProcess[] = [];
  #pool: WorkerPool | undefined;
  #watch: { close(): Promise<void> } | undefined;

  get pool(): WorkerPool {
    if (this.#pool === undefined) throw new Error("the pool is not open");
    return this.#pool;
  }

  /** A device over the beginning of a disk, which `enlarge` makes longer; blank, whatever others have written where it ends. */
  part(disk: string, name: string, size: Bytes): string {
    const path = partOf(this.dm, disk, name, size);
    blankDisks([disk, path]);
    return path;
  }

  enlarge(disk: string, name: string, size: Bytes): void {
    lengthenPart(this.dm, disk, name, size);
  }

  /** An ext4 on a disk: what loop files lie on. */
  hostFilesystem(disk: string): string {
    const path = join(this.folder, "host");
    mkdirSync(path);
    output("mkfs.ext4", ["-q", "-F", disk]);
    output("mount", [disk, path]);
    return path;
  }

  async open(change: Partial<PoolDescription>): Promise<WorkerPool> {
    const description = { ...describePool(POOL, { data: "", metadata: "" }), whenFull: "auto" as const, ...change };
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const state = join(this.folder, "state");
    this.#pool = new WorkerPool({ description, stateDirectory: state, runDirectory: state, bootId, deadManFd: undefined, logger: this.#logger({}) });
    await this.until(() => !["recovering", "locked"].includes(this.pool.view.status.kind));
    if (this.pool.view.status.kind !== "ready") throw new Error(JSON.stringify([this.pool.view.status, this.lines]));
    this.#watch = watchPools([this.pool], this.#logger({}));
    return this.pool;
  }

  async close(): Promise<void> {
    await this.#watch?.close();
    await this.#pool?.close(10_000);
    this.#pool = undefined;
  }

  async activate(name: string, sizeBytes: Bytes): Promise<ActiveDevice> {
    const id = volumeId(name);
    const rest = { filesystem: undefined, capabilities: [], mkfsOptions: [], parameters: PARAMETERS };
    await this.pool.calls.createVolume({ id, name, sizeBytes, origin: { kind: "blank" }, ...rest });
    return this.pool.calls.activate(id, { readOnly: false });
  }

  /** As fast as it can, past the cache. Answers dd's exit code and what it said. */
  async fill(path: string, mebibytes: number, seek = 0): Promise<{ readonly code: number; readonly said: string }> {
    const args = ["if=/dev/zero", `of=${path}`, "bs=1M", `count=${mebibytes}`, `seek=${seek}`, "oflag=direct", "conv=notrunc,fsync"];
    const child = spawn("dd", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#writers.push(child);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(child, "close")) as [number];
    return { code, said };
  }

  told(event: string): readonly string[] {
    return this.lines.filter(({ fields }) => fields["event"] === event).map(({ message }) => message);
  }

  async until(reached: () => boolean): Promise<void> {
    for (let tries = 0; tries < 3_000; tries++) {
      if (reached()) return;
      await sleep(10);
    }
    throw new Error(`it never came to be:\n${this.lines.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`).join("\n")}`);
  }

  async dispose(): Promise<void> {
    for (const writer of this.#writers) writer.kill("SIGKILL");
    await this.close();
    this.dm.close();
    cleanMachine();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #logger(always: LogFields): Logger {
    const at =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        void this.lines.push({ level, message, fields: { ...always, ...fields } });
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: (fields) => this.#logger({ ...always, ...fields }) };
  }
}
