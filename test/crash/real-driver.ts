import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backing } from "../../src/config/pool-description.ts";
import { KernelDeviceMapper } from "../../src/devicemapper/kernel.ts";
import { KernelSlowCalls } from "../../src/devicemapper/slow-calls.ts";
import { ThinToolsPrograms } from "../../src/devicemapper/thin-tools-programs.ts";
import { run } from "../../src/exec/run.ts";
import { probe } from "../../src/filesystem/probe.ts";
import { BlockingThreads } from "../../src/linux/blocking-threads.ts";
import type { Lock } from "../../src/linux/lock.ts";
import { workerEntry } from "../../src/linux/worker-entry.ts";
import type { Logger } from "../../src/logger.ts";
import { createBacking } from "../../src/pool/backings/create-backing.ts";
import { DeadManHandle } from "../../src/pool/dead-man.ts";
import { openInThread } from "../../src/pool/worker/in-thread-pool.ts";
import { lvmLockOf, tryPoolLock } from "../../src/pool/pool-lock.ts";
import type { Pool } from "../../src/pool/pool.ts";
import type { StepObserver } from "../../src/pool/transition.ts";
import { describePool } from "./bench.ts";

export const POOL = "crash";
export const dm = new KernelDeviceMapper();

/** Where a pool is in the guest: a folder on a disk of the guest's own, never on the host's shared root, and two disks. */
export interface Place {
  readonly state: string;
  readonly data: string;
  /** With a backing of its own the pool's metadata is where that has it. */
  readonly metadata: string;
  readonly backing?: Backing;
}

/** The pool's lock, as soon as its last owner's dead man's handle has let go of it. */
export async function waitForLock({ state }: Place): Promise<Lock> {
  for (;;) {
    const lock = tryPoolLock(state, POOL);
    if (lock !== undefined) return lock;
    await sleep(5);
  }
}

/** The driver's engine as its worker composes it, in this thread, with a dead man's handle of its own. */
export async function openReal(place: Place, lock: Lock, observe: StepObserver): Promise<Pool> {
  const description = describePool(POOL, place);
  const stateDirectory = join(place.state, POOL);
  return openInThread({
    description,
    dm,
    tools: new ThinToolsPrograms(),
    slow: new KernelSlowCalls(new BlockingThreads({ entry: workerEntry("blocking-worker") })),
    backing: createBacking(description, {
      dm,
      stateDirectory,
      lvmLock: lvmLockOf(place.state, POOL),
      logger,
      probe: async (device, signal) => probe(run, device, signal),
    }),
    deadMan: await DeadManHandle.start({ lockFd: lock.fd }),
    stateDirectory,
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    logger,
    observe,
  });
}

/** What goes wrong is told; the parent shows it when a test fails. */
const tell = (message: string, fields?: object): void => void process.stderr.write(`${message} ${JSON.stringify(fields ?? {}, spell)}\n`);
const spell = (_: string, value: unknown): unknown => (value instanceof Error ? value.stack : value);
const logger: Logger = { debug: () => undefined, info: tell, warn: tell, error: tell, child: () => logger };

export interface Leftovers {
  readonly suspended: readonly string[];
  readonly inactiveTables: readonly string[];
}

export function leftovers(): Leftovers {
  const infos = dm.list().flatMap(({ uuid, name }) => (/^dmthin--?crash-/.test(name) ? (dm.info(uuid) ?? []) : []));
  const names = (chosen: typeof infos): readonly string[] => chosen.map(({ name }) => name);
  return { suspended: names(infos.filter(({ suspended }) => suspended)), inactiveTables: names(infos.filter(({ hasInactiveTable }) => hasInactiveTable)) };
}
