import { environment } from "./environment.ts";
import { startFailure } from "./failure.ts";
import { descriptor, startError } from "./start.ts";

export interface DetachedOptions {
  /** Becomes its descriptor 0. */
  readonly stdin: number;
  /** Become its descriptors 3, 4, and so on; it gets no others, and nobody reads its output. */
  readonly inherit?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a program that outlives us: in a session of its own, with descriptors instead of pipes, and not waited for. The
 * caller closes its own copies. Rejects with "program-missing", or "program-failed" when it cannot be started.
 */
export async function spawnDetached(argv: readonly string[], { stdin, inherit = [], env }: DetachedOptions): Promise<{ readonly pid: number }> {
  const { execa } = await import("execa");
  const [program = "", ...rest] = argv;
  const child = execa(program, rest, {
    reject: false,
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: environment(env),
    cwd: "/",
    stdio: [descriptor(stdin), "ignore", "ignore", ...inherit.map(descriptor)],
  });
  child.nodeChildProcess.unref();
  if (child.pid !== undefined) return { pid: child.pid };
  const why = startError(await child);
  throw why === undefined ? new Error(`${program} has no process id`) : startFailure(argv, why);
}
