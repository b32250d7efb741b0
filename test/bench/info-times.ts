import { BUNDLE, Driver } from "../harness/driver.ts";
import { output } from "../harness/program.ts";
import { timed } from "./statistics.ts";

/** An operator's command from its start to its end, the process's own start included. */
export async function timeCommand(folder: string, command: readonly string[], count: number): Promise<readonly number[]> {
  const [program = "", ...entry] = BUNDLE;
  const args = [...entry, ...command, "--socket", Driver.paths(folder).adminSocket];
  return timed(count, async () => void output(program, args));
}
