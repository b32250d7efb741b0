import { spawnSync } from "node:child_process";

/** A program's standard output; throws with what it said when it fails. */
export function run(...argv: readonly string[]): string {
  const [file = "", ...args] = argv;
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" }, maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}
