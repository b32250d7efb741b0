import { spawn } from "node:child_process";

const TAIL_LINES = 15;

/** A program of the host ended other than with 0; the message ends with the last lines that it printed. */
export class CommandFailed extends Error {
  readonly argv: readonly string[];
  readonly output: string;

  constructor(argv: readonly string[], outcome: string, output: string) {
    super(`${argv.join(" ")}: ${outcome}\n${output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n")}`);
    this.argv = argv;
    this.output = output;
  }
}

/**
 * Runs a program of the host, which ends with us, and answers what it wrote to stdout. Its stdin is `input`, or empty.
 * @throws CommandFailed when it cannot be started or does not end with 0
 */
export function run(argv: readonly string[], { cwd, input }: { readonly cwd?: string; readonly input?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("setpriv", ["--pdeathsig", "TERM", ...argv], {
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    });
    let stdout = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (all += text));
    child.stdin.on("error", () => undefined); // it ended without reading all
    child.stdin.end(input);
    child.on("error", (error) => reject(new CommandFailed(argv, error.message, all)));
    child.on("close", (code, signal) => (code === 0 ? resolve(stdout) : reject(new CommandFailed(argv, signal ?? `exit code ${code}`, all))));
  });
}
