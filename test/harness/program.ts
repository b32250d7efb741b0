import { spawnSync } from "node:child_process";

/** Longer than any program of a test takes on a slow machine. */
const LIMIT_MS = 150_000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EndedOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs?: number;
}

/**
 * Runs a program to its end, whatever that is. Throws if it cannot be started, and if it has not ended in time: while it
 * runs nothing else does, jest's own limits included.
 */
export function ended(program: string, args: readonly string[], { limitMs = LIMIT_MS, ...options }: EndedOptions = {}): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  if (error !== undefined) throw new Error(`${[program, ...args].join(" ")}: ${error.message}; it said: ${stdout}${stderr}`, { cause: error });
  return { status, stdout, stderr };
}

/** A program's standard output; it has to succeed. */
export function output(program: string, args: readonly string[], options?: EndedOptions): string {
  const { status, stdout, stderr } = ended(program, args, options);
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} exited with ${status}: ${stderr}`);
  return stdout;
}
