/** How many tests of a command passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of what failed, as far as they are known. */
  readonly failures?: readonly string[];
}

const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export const sum = (tallies: readonly Tally[]): Tally =>
  tallies.reduce(
    (total, { passed, failed, skipped, failures = [] }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
      failures: [...(total.failures ?? []), ...failures],
    }),
    nothing,
  );

/** A test command fails when a test failed, and when nothing ran at all. */
export const succeeded = ({ passed, failed }: Tally): boolean => failed === 0 && passed > 0;

/** The line with which every test command ends. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

const FAILURE = "FAILED ";

/** What failed is named at a command's end, for there its readers look first. */
export const failureLine = (name: string): string => `${FAILURE}${name}`;

/** The name of what failed, if the line is one of `failureLine`. */
export const parseFailure = (line: string): string | undefined => (line.startsWith(FAILURE) ? line.slice(FAILURE.length).trimEnd() : undefined);

/** The tally that a line says, if it is one. */
export function parseTally(line: string): Tally | undefined {
  const [, passed, failed, skipped = 0] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\r?$/.exec(line) ?? [];
  if (passed === undefined || failed === undefined) return undefined;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}
