import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import { KernelSlowCalls } from "../../../src/devicemapper/slow-calls.ts";
import { ThinToolsPrograms } from "../../../src/devicemapper/thin-tools-programs.ts";
import { run } from "../../../src/exec/run.ts";
import { probe } from "../../../src/filesystem/probe.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { Lvm } from "../../../src/lvm/lvm.ts";
import type { Logger } from "../../../src/logger.ts";
import { createBacking } from "../../../src/pool/backings/create-backing.ts";
import { openInThread } from "../../../src/pool/worker/in-thread-pool.ts";
import { lvmLockOf, tryPoolLock } from "../../../src/pool/pool-lock.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import type { StepObserver } from "../../../src/pool/transition.ts";
import { bytes, KiB, MiB } from "../../../src/units.ts";
import { nodeBinary } from "../../lab/checkout.ts";
import { output } from "../../harness/program.ts";

export const POOL = "direct";
export const GROUP = "dmthin-direct";
export const dm = new KernelDeviceMapper();

/** What a test changes of a pool on whole disks. */
export type Wish = Partial<Omit<PoolDescription, "backing">> & {
  readonly devices: readonly string[];
  readonly metadataDevices?: readonly string[];
  readonly force?: boolean;
};

export const describePool = ({ devices, metadataDevices = [], force = false, ...more }: Wish): PoolDescription => ({
  name: POOL,
  isDefault: true,
  backing: { kind: "directLvm", devices, metadataDevices, volumeGroup: GROUP, thinpPercent: 95, thinpMetaPercent: 1, force },
  chunkSize: bytes(512 * KiB),
  zeroNewBlocks: true,
  minimumFree: { dataPercent: 1, metadataPercent: 1 },
  overcommitRatio: 100,
  defaultVolumeSize: bytes(32 * MiB),
  filesystem: "ext4",
  discardOnDelete: false,
  autoextend: { thresholdPercent: 80, percent: 20 },
  whenFull: "error",
  trim: undefined,
  ...more,
});

/** What a pool's worker is made of, in this thread. It has the pool's lock until the process ends. */
export async function openPool(
  state: string,
  wish: Wish,
  { observe = () => undefined, told = [] }: { readonly observe?: StepObserver; readonly told?: string[] } = {},
): Promise<Pool> {
  const description = describePool(wish);
  const stateDirectory = join(state, POOL);
  const logger = telling(told);
  mkdirSync(state, { recursive: true });
  await takeLock(state);
  return openInThread({
    description,
    dm,
    tools: new ThinToolsPrograms(),
    slow: new KernelSlowCalls(new BlockingThreads({ entry: workerEntry("blocking-worker") })),
    backing: createBacking(description, {
      dm,
      stateDirectory,
      lvmLock: lvmLockOf(state, POOL),
      logger,
      observe,
      probe: async (device, signal) => probe(run, device, signal),
    }),
    deadMan: { arm: () => undefined, disarm: () => undefined, close: () => undefined },
    stateDirectory,
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    logger,
    observe,
  });
}

const locks = new Map<string, number>();

/** Once a process. Who was killed may have left LVM at work. */
async function takeLock(state: string): Promise<void> {
  for (;;) {
    const held = locks.get(state) ?? tryPoolLock(state, POOL)?.fd;
    if (held !== undefined) {
      locks.set(state, held);
      return;
    }
    await sleep(5);
  }
}

function telling(told: string[]): Logger {
  const tell = (message: string, fields?: object): void =>
    void told.push(`${message} ${JSON.stringify(fields ?? {}, (_, value: unknown) => (value instanceof Error ? value.message : value))}`);
  const logger: Logger = { debug: () => undefined, info: tell, warn: tell, error: tell, child: () => logger };
  return logger;
}

/** A process that brings the pool up (child.ts), killed in the step that is named, or ending with "ready" and the steps that it took. */
export function startChild(
  state: string,
  wish: Wish,
  killedIn?: string,
): { readonly child: ChildProcess; readonly ended: Promise<{ readonly signal: string | null; readonly output: string }> } {
  const argv = [join(import.meta.dirname, "child.ts"), JSON.stringify({ state, wish, killedIn })];
  const child = spawn(nodeBinary, ["--disable-warning=ExperimentalWarning", ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<{ readonly signal: string | null; readonly output: string }>((resolve) =>
    child.on("close", (_, signal) => resolve({ signal, output })),
  );
  return { child, ended };
}

export function tool(program: string, ...args: readonly string[]): string {
  return output(program, args, { input: "" });
}

export const lvm = (...disks: readonly string[]): Lvm => new Lvm({ run, devices: disks });

/** What stands at both ends of a disk, where everybody keeps what he is known by. */
export function endsOf(disk: string, length = 2 * MiB): Buffer {
  const fd = openSync(disk, constants.O_RDONLY);
  const size = Number(tool("blockdev", "--getsize64", disk));
  const ends = [0, size - length].map((from) => {
    const end = Buffer.alloc(length);
    readSync(fd, end, 0, length, from);
    return end;
  });
  closeSync(fd);
  return Buffer.concat(ends);
}

export const newState = (): string => mkdtempSync(join(tmpdir(), "dmthin-direct-test-"));
export const removeState = (state: string): void => rmSync(state, { recursive: true, force: true });
