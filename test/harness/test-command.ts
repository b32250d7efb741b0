import { asRoot } from "../lab/root.ts";
import { part } from "./part.ts";
import { succeeded, sum, tallyLine, type Tally } from "./tally.ts";

export interface Part {
  readonly name: string;
  readonly run: () => Promise<Tally>;
}

export interface TestCommandOptions {
  readonly root: boolean;
  /** Words after `--` go to jest. */
  readonly takesArguments?: boolean;
}

/** Runs the parts of a test command one after another, and ends with the line of their sum; sets the exit code. */
export async function testCommand(parts: readonly Part[], { root, takesArguments = false }: TestCommandOptions): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(usage(parts, takesArguments));
    return;
  }
  if (!takesArguments && args.length > 0) {
    process.stderr.write(`"${args.join(" ")}" is of no use to it.\n\n${usage(parts, takesArguments)}`);
    process.exitCode = 2;
    return;
  }
  const elsewhere = root ? await asRoot() : undefined;
  if (elsewhere !== undefined) {
    process.exitCode = elsewhere;
    return;
  }
  const tallies: Tally[] = [];
  for (const { name, run } of parts) tallies.push(await part(name, run));
  const total = sum(tallies);
  process.stdout.write(`${tallyLine(total)}\n`);
  process.exitCode = succeeded(total) ? 0 : 1;
}

function usage(parts: readonly Part[], takesArguments: boolean): string {
  const words = takesArguments ? "After -- it takes a part of a test file's path, or jest's own options, such as -t NAME." : "It takes no arguments.";
  return `Runs, one after another:\n${parts.map(({ name }) => `  ${name}\n`).join("")}${words} test/README.md says what each proves.\n`;
}
