import { tallyLine } from "./tally.ts";

/** What this needs of jest's results. */
interface JestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** Jest's last word: the line with which every test command of this project ends. A file that cannot be loaded is a failure. */
export default class TallyReporter {
  onRunComplete(_contexts: unknown, results: JestResults): void {
    const line = tallyLine({
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    });
    process.stdout.write(`${line}\n`);
  }
}
