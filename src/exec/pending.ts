/** A program that its call does not answer for: one that is never killed, or one that could not be. */
export interface PendingProgram {
  readonly argv: readonly string[];
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Left to finish on purpose: its owner stays until it has. Else it hangs in the kernel, and nobody can wait for it. */
  readonly neverKill: boolean;
  /** Whether nobody waits for it any more: its call has rejected, at its deadline or when it was aborted. */
  readonly isGivenUp: () => boolean;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

/** As the kernel keeps one set of children for each process, so there is one list. */
const pending = new Set<PendingProgram>();

/** The never-killed programs at work now, whether or not their callers still wait, and those that outlive their SIGKILL. */
export const pendingPrograms = (): readonly PendingProgram[] => [...pending];

/** Lists the program until it ends. */
export function watch(program: PendingProgram): void {
  pending.add(program);
  void program.ended.then(() => pending.delete(program));
}
