import type { DmthinError } from "../errors.ts";
import { programFailed, startFailure } from "./failure.ts";
import { watch } from "./pending.ts";
import { start, type Ended, type Started } from "./start.ts";

export interface RunOptions {
  /** A duration from the start; without one the program may take as long as it likes. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** LVM and repair: at the deadline or an abort the call rejects, and the program is left to finish (`pendingPrograms`). */
  readonly neverKill?: boolean;
  /** Added to PATH and LC_ALL=C, which is all there is. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Default: 0 alone. */
  readonly okExitCodes?: readonly number[];
  /** Descriptors that the program gets as 3, 4, and so on; it gets no others. */
  readonly inherit?: readonly number[];
  /** Becomes its descriptor 0, in place of nothing to read. */
  readonly stdin?: number;
  /** Told when it runs, or could not be started: what was handed to it may be closed here. */
  readonly onStarted?: () => void;
  /** Told when a program ends whose call was given up before. */
  readonly onLateEnd?: (end: LateEnd) => void;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface LateEnd extends Ended {
  readonly argv: readonly string[];
  readonly tookMs: number;
}

export type Run = (argv: readonly string[], options?: RunOptions) => Promise<Output>;

/** From SIGTERM to SIGKILL: long enough for mkfs to give up a write, short beside a kubelet's patience. */
const GRACE_MS = 3000;
/** From SIGKILL until a program counts as stuck in the kernel (uninterruptible sleep). */
const REAP_MS = 2000;

/**
 * Runs a program without a shell, with nothing of our environment, and ends it (SIGTERM, later SIGKILL, its descendants
 * with it) at the deadline or when the signal aborts. One that the kernel does not let go is left, and the call rejects.
 * Rejects with "program-failed", or "program-missing" with the package that has it.
 */
export const run: Run = async (argv, options = {}) => {
  const begun: Begun = { argv, options, startedAt: Date.now() };
  if (options.signal?.aborted === true) throw failure(begun, UNSTARTED, "aborted");
  const program = await start(argv, options);
  options.onStarted?.();
  const givenUp = Promise.withResolvers<never>();
  const stop = stopper(begun, program, givenUp.reject);
  if (options.neverKill === true && program.pid !== undefined) watchPending(begun, program, () => stop.reason() !== undefined);
  const timer = options.deadlineMs === undefined ? undefined : setTimeout(() => stop("timed-out"), options.deadlineMs);
  const onAbort = (): void => stop("aborted");
  options.signal?.addEventListener("abort", onAbort, { once: true });
  // An abort while the program was being started has told nobody.
  if (isAborted(options.signal)) onAbort();
  try {
    const ended = await Promise.race([program.ended, givenUp.promise]);
    return answer(begun, ended, stop.reason());
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
};

type Reason = "timed-out" | "aborted";

interface Begun {
  readonly argv: readonly string[];
  readonly options: RunOptions;
  readonly startedAt: number;
}

const UNSTARTED: Ended = { exitCode: undefined, signal: undefined, stdout: "", stderr: "", startError: undefined };

interface Stopper {
  (reason: Reason): void;
  /** Why the program was told to stop; undefined when it was not. */
  reason(): Reason | undefined;
}

function stopper(begun: Begun, program: Started, giveUp: (error: Error) => void): Stopper {
  let why: Reason | undefined;
  const leave = (reason: Reason): void => {
    giveUp(failure(begun, UNSTARTED, reason));
    const { onLateEnd } = begun.options;
    void program.ended.then((ended) => onLateEnd?.({ ...ended, argv: begun.argv, tookMs: Date.now() - begun.startedAt }));
  };
  const stop = (reason: Reason): void => {
    if (why !== undefined) return;
    why = reason;
    if (begun.options.neverKill === true) {
      leave(reason);
      return;
    }
    program.end(GRACE_MS);
    const stuck = setTimeout(() => {
      watchPending(begun, program, () => true);
      leave(reason);
    }, GRACE_MS + REAP_MS);
    void program.ended.then(() => clearTimeout(stuck));
  };
  return Object.assign(stop, { reason: () => why });
}

function watchPending({ argv, options, startedAt }: Begun, { pid, ended }: Started, isGivenUp: () => boolean): void {
  if (pid === undefined) return;
  watch({ argv, pid, startedAt, neverKill: options.neverKill === true, isGivenUp, ended: ended.then(() => undefined) });
}

/** A program that came to a good end just as it was told to stop has done its work. */
function answer(begun: Begun, ended: Ended, reason: Reason | undefined): Output {
  const { exitCode, stdout, stderr } = ended;
  if (exitCode === undefined || !(begun.options.okExitCodes ?? [0]).includes(exitCode)) throw failure(begun, ended, reason);
  return { stdout, stderr, exitCode };
}

function failure({ argv }: Begun, { exitCode, signal, stderr, startError }: Ended, reason: Reason | undefined): DmthinError {
  if (startError !== undefined) return startFailure(argv, startError);
  return programFailed({ argv, exitCode, signal, stderr, timedOut: reason === "timed-out", aborted: reason === "aborted" });
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
