import { output } from "../../harness/program.ts";

/** A case is filled and measured for minutes. */
const LIMIT_MS = 1_800_000;

/** A program's standard output; throws with what it said when it fails. */
export function run(...argv: readonly string[]): string {
  const [file = "", ...args] = argv;
  return output(file, args, { env: { ...process.env, LC_ALL: "C" }, limitMs: LIMIT_MS });
}
