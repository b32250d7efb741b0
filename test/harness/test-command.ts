import { asRoot } from "../lab/root.ts";
import { part } from "./part.ts";
import { failureLine, succeeded, sum, tallyLine, type Tally } from "./tally.ts";

export interface Part {
  readonly name: string;
  readonly run: () => Promise<Tally>;
  /** May run beside its neighbours that say the same. */
  readonly beside?: boolean;
}

export interface TestCommandOptions {
  readonly root: boolean;
  /** What the words after `--` are, in sentences of its usage. Absent: it takes none. */
  readonly words?: string;
  /** How many parts run at once of those that may. Default 1. */
  readonly atOnce?: number;
}

/** Of a command that hands them to jest. */
export const JEST_WORDS = "After -- it takes a part of a test file's path, or jest's own options, such as -t NAME.";

/** Runs the parts of a test command one after another, or some of them beside each other, and ends with the line of their sum; sets the exit code. */
export async function testCommand(parts: readonly Part[], { root, words, atOnce = 1 }: TestCommandOptions): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(usage(parts, words));
    return;
  }
  if (words === undefined && args.length > 0) {
    process.stderr.write(`"${args.join(" ")}" is of no use to it.\n\n${usage(parts, words)}`);
    process.exitCode = 2;
    return;
  }
  const elsewhere = root ? await asRoot() : undefined;
  if (elsewhere !== undefined) {
    process.exitCode = elsewhere;
    return;
  }
  const total = sum(await runAll(parts, atOnce));
  for (const failure of total.failures ?? []) process.stdout.write(`${failureLine(failure)}\n`);
  process.stdout.write(`${tallyLine(total)}\n`);
  process.exitCode = succeeded(total) ? 0 : 1;
}

async function runAll(parts: readonly Part[], atOnce: number): Promise<readonly Tally[]> {
  const running = new Set<Promise<void>>();
  const tallies: Tally[] = [];
  for (const { name, run, beside = false } of parts) {
    while (running.size >= (beside ? atOnce : 1)) await Promise.race(running); // one alone waits for all
    const work = part(name, run).then((tally) => {
      tallies.push(tally);
      running.delete(work);
      return undefined;
    });
    running.add(work);
    if (!beside) await work;
  }
  await Promise.all(running);
  return tallies;
}

function usage(parts: readonly Part[], words = "It takes no arguments."): string {
  return `Runs:\n${parts.map(({ name }) => `  ${name}\n`).join("")}${words} test/README.md says what each proves.\n`;
}
