import type { Options } from "execa";
import { environment } from "./environment.ts";
import type { RunOptions } from "./run.ts";
import { Spool } from "./spool.ts";

/** How a program ended. */
export interface Ended {
  /** undefined when a signal ended it, or it never started. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly startError: StartError | undefined;
}

/** Why it could not be started; `code` is the errno's name. */
export type StartError = Error & { readonly code: string | undefined };

export interface Started {
  /** undefined when it did not start. */
  readonly pid: number | undefined;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** SIGTERM to it and its descendants, SIGKILL after the grace. */
  end(graceMs: number): void;
}

type StartOptions = Pick<RunOptions, "neverKill" | "env" | "input" | "stdin" | "inherit">;

/** Loads execa only here, when a program is run: most threads never do. */
export const start = async (argv: readonly string[], options: StartOptions): Promise<Started> =>
  options.neverKill === true ? startSpooled(argv, options) : startPiped(argv, options);

async function startPiped(argv: readonly string[], options: StartOptions): Promise<Started> {
  return startWith(argv, { ...common(options, "pipe", "pipe"), killDescendants: true }, ({ stdout, stderr }) => ({ stdout, stderr }));
}

/** Its own session, so that a Ctrl-C on our terminal is not its, and files in place of pipes. */
async function startSpooled(argv: readonly string[], options: StartOptions): Promise<Started> {
  const spools = [await Spool.open(), await Spool.open()] as const;
  const [out, err] = spools;
  return startWith(argv, { ...common(options, descriptor(out.fd), descriptor(err.fd)), detached: true, cleanup: false }, async () => {
    try {
      return { stdout: await out.text(), stderr: await err.text() };
    } finally {
      await Promise.all(spools.map(async (spool) => spool[Symbol.asyncDispose]()));
    }
  });
}

/** execa hands on any descriptor; its types know 3 to 9. */
export const descriptor = (fd: number): 3 => fd as 3;

const common = ({ env, input, stdin, inherit = [] }: StartOptions, stdout: "pipe" | 3, stderr: "pipe" | 3) =>
  ({
    reject: false,
    extendEnv: false,
    env: environment(env),
    // A program that outlives us must not hold the folder we were started in.
    cwd: "/",
    stripFinalNewline: false,
    stdio: [stdin === undefined ? (input === undefined ? "ignore" : "pipe") : descriptor(stdin), stdout, stderr, ...inherit.map(descriptor)],
    ...(input === undefined ? {} : { input }),
  }) satisfies Options;

type Texts = Pick<Ended, "stdout" | "stderr">;

async function startWith(argv: readonly string[], options: Options, texts: (piped: Texts) => Texts | Promise<Texts>): Promise<Started> {
  const { execa } = await import("execa");
  const [program = "", ...rest] = argv;
  const child = execa(program, rest, options);
  const ended = async (): Promise<Ended> => {
    const result = await child;
    const output = await texts({ stdout: textOf(result.stdout), stderr: textOf(result.stderr) });
    return { exitCode: result.exitCode, signal: result.signal, ...output, startError: startError(result) };
  };
  return {
    pid: child.pid,
    ended: ended(),
    end: (graceMs) => {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
      void child.finally(() => clearTimeout(kill));
    },
  };
}

const textOf = (output: unknown): string => (typeof output === "string" ? output : "");

interface ExecaResult {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
}

/** Why there never was a process; undefined when there was one. */
export function startError({ exitCode, signal, code, originalMessage }: ExecaResult): StartError | undefined {
  if (exitCode !== undefined || signal !== undefined) return undefined;
  return Object.assign(new Error(originalMessage), { code });
}
