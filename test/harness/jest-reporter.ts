import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { checkout } from "../lab/checkout.ts";
import { failureLine, tallyLine } from "./tally.ts";

/** What this needs of jest's results. */
interface JestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly testFilePath: string;
    readonly failureMessage?: string | null;
    readonly testResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/**
 * What begins is told when it begins, for a log that ends there tells what hangs. Jest's last word is the line with which
 * every test command of this project ends. A file that cannot be loaded is a failure.
 */
export default class TallyReporter {
  /** Where a guest's init waits for signs of life (test/lab/guest/init.sh); elsewhere nobody does. */
  readonly #progress = process.env["LAB_PROGRESS"];
  #file = "";

  onTestFileStart({ path }: { readonly path: string }): void {
    if (this.#progress === undefined) return;
    this.#file = relative(checkout, path);
    process.stdout.write(`RUNS ${this.#file}\n`);
    this.#isAlive(this.#file);
  }

  onTestCaseResult(_test: unknown, { fullName }: { readonly fullName: string }): void {
    this.#isAlive(`${this.#file}, after: ${fullName}`);
  }

  onRunComplete(_contexts: unknown, results: JestResults): void {
    const line = tallyLine({
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    });
    for (const failure of failuresOf(results)) process.stdout.write(`${failureLine(failure)}\n`);
    process.stdout.write(`${line}\n`);
  }

  #isAlive(where: string): void {
    if (this.#progress !== undefined) writeFileSync(this.#progress, `${where}\n`);
  }
}

/** Each test that failed, and each file that could not be run. */
const failuresOf = ({ testResults }: JestResults): readonly string[] =>
  testResults.flatMap(({ testFilePath, failureMessage, testResults: tests }) => {
    const file = relative(checkout, testFilePath);
    const failed = tests.filter(({ status }) => status === "failed").map(({ fullName }) => `${file}: ${fullName}`);
    return failed.length > 0 || (failureMessage ?? "") === "" ? failed : [`${file}: could not be run`];
  });
