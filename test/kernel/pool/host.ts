import { readFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { isError, type ErrorCode } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { PoolCalls } from "../../../src/pool/pool-calls.ts";
import { WorkerPool } from "../../../src/pool/worker/worker-pool.ts";
import { describePool } from "../../crash/bench.ts";

/** One line on stdin. */
export type Request = { readonly id: number } & (
  | { readonly do: "call"; readonly pool: string; readonly name: keyof PoolCalls; readonly args: readonly unknown[] }
  /** Whether the pool says that a call is stuck. */
  | { readonly do: "stuck"; readonly pool: string }
  /** How many calls the pool says that it has not answered, beyond all patience. */
  | { readonly do: "unanswered"; readonly pool: string }
  /** Reads a file, in libuv's threads, which a driver shares with all its pools. */
  | { readonly do: "read-file" }
  | { readonly do: "close"; readonly deadlineMs: number }
);

/** One line on stdout. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  /** Of an error of ours; of another its text. */
  readonly code?: string;
}

export interface HostOptions {
  readonly state: string;
  readonly patienceMs: number;
  readonly pools: Readonly<Record<string, { readonly data: string; readonly metadata: string }>>;
}

/** A process with several pools, each in its worker as in the driver, that does what it is told. */
const { state, patienceMs, pools: paths } = JSON.parse(process.argv[2] ?? "") as HostOptions;
const pools = new Map(
  Object.entries(paths).map(([name, disks]) => {
    const description = describePool(name, disks);
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    return [
      name,
      new WorkerPool({ description, stateDirectory: state, runDirectory: state, bootId, deadManFd: undefined, logger: silentLogger, patienceMs }),
    ] as const;
  }),
);

function poolOf(name: string): WorkerPool {
  const pool = pools.get(name);
  if (pool === undefined) throw new Error(`there is no pool ${name}`);
  return pool;
}

async function carryOut(request: Request): Promise<unknown> {
  switch (request.do) {
    case "call": {
      const { calls } = poolOf(request.pool);
      const call = calls[request.name].bind(calls) as (...args: readonly unknown[]) => Promise<unknown>;
      return call(...request.args);
    }
    case "stuck":
      return poolOf(request.pool).view.stuck !== undefined;
    case "unanswered":
      return poolOf(request.pool).view.unanswered;
    case "read-file":
      return (await readFile("/etc/passwd")).length;
    case "close":
      await Promise.all([...pools.values()].map(async (pool) => pool.close(request.deadlineMs)));
      return "closed";
  }
}

async function answer(line: string): Promise<void> {
  const request = JSON.parse(line) as Request;
  const reply = await carryOut(request).then(
    (value): Answer => ({ id: request.id, value }),
    (error: unknown): Answer => ({ id: request.id, code: isCoded(error) ? error.facts.code : String(error) }),
  );
  writeSync(1, `${JSON.stringify(reply)}\n`);
}

const isCoded = (error: unknown): error is { readonly facts: { readonly code: ErrorCode } } =>
  isError(error, "pool-stuck") || isError(error, "deadline") || isError(error, "shutting-down") || isError(error, "pool-not-ready");

while ([...pools.values()].some(({ view }) => view.status.kind === "recovering" || view.status.kind === "locked"))
  await new Promise((resolve) => setTimeout(resolve, 10));
writeSync(1, `${JSON.stringify([...pools.values()].map(({ view }) => view.status.kind))}\n`);
createInterface(process.stdin).on("line", (line) => void answer(line));
