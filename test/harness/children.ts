import { readdirSync, readFileSync } from "node:fs";
import { pause } from "./pause.ts";

/**
 * Ends all processes that this one has started, and those that they have: who has ended has nothing open any more.
 * @returns those that have not ended in time, as one that waits for a suspended device
 */
export function endChildren(limitMs: number): readonly number[] {
  const told = new Set<number>();
  return runningAfter(limitMs, () => {
    for (const pid of below()) told.add(pid);
    for (const pid of told) if (isRunning(pid)) kill(pid);
    return Array.from(told);
  });
}

/** Those that are still there when the time is over. */
export function runningAfter(limitMs: number, ask: () => readonly number[]): readonly number[] {
  const end = performance.now() + limitMs;
  for (;;) {
    const left = ask().filter((pid) => isRunning(pid));
    if (left.length === 0 || performance.now() > end) return left;
    pause(5);
  }
}

/** "123 (node)" */
export const processName = (pid: number | string): string => `${pid} (${read(`/proc/${pid}/comm`)?.trim() ?? "ended"})`;

function below(): readonly number[] {
  const parents = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => [Number(pid), Number(fieldsOf(pid)?.[1])]),
  );
  const isBelow = (pid: number | undefined): boolean => pid !== undefined && (pid === process.pid || isBelow(parents.get(pid)));
  return Array.from(parents).flatMap(([pid, parent]) => (isBelow(parent) ? [pid] : []));
}

/** What has ended is a zombie until Node's loop looks, and then it has closed all; its first thread may be one long before the others. */
const isRunning = (pid: number): boolean => {
  const state = fieldsOf(pid)?.[0];
  return state !== undefined && (state !== "Z" || threadsOf(pid) > 1);
};

/** State, parent and so on, behind the name, which may hold anything; undefined when it has ended meanwhile. */
function fieldsOf(pid: number | string): readonly string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended meanwhile
  }
}
