import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { checkout } from "../lab/checkout.ts";
import { tallyLine } from "./tally.ts";

/** What this needs of jest's results. */
interface JestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/**
 * What begins is told when it begins, for a log that ends there tells what hangs. Jest's last word is the line with which
 * every test command of this project ends. A file that cannot be loaded is a failure.
 */
export default class TallyReporter {
  /** Where a guest's init waits for signs of life (test/lab/guest/init.sh); elsewhere nobody does. */
  readonly #progress = process.env["LAB_PROGRESS"];

  onTestFileStart({ path }: { readonly path: string }): void {
    if (this.#progress === undefined) return;
    process.stdout.write(`RUNS ${relative(checkout, path)}\n`);
    this.#isAlive();
  }

  onTestCaseResult(): void {
    this.#isAlive();
  }

  onRunComplete(_contexts: unknown, results: JestResults): void {
    const line = tallyLine({
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    });
    process.stdout.write(`${line}\n`);
  }

  #isAlive(): void {
    if (this.#progress !== undefined) writeFileSync(this.#progress, String(Date.now()));
  }
}
