import { asRoot } from "../lab/root.ts";
import { part } from "./part.ts";
import { succeeded, sum, tallyLine, type Tally } from "./tally.ts";

export interface Part {
  readonly name: string;
  readonly run: () => Promise<Tally>;
}

/** Runs the parts of a test command one after another, and ends with the line of their sum; sets the exit code. */
export async function testCommand(parts: readonly Part[], { root }: { readonly root: boolean }): Promise<void> {
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
