import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A Node program that runs beside the test. */
export class Program {
  readonly lines: string[] = [];
  log = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<NodeJS.Signals | number | null>;

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    this.#ended = once(this.#child, "close").then(() => this.#child.signalCode ?? this.#child.exitCode);
  }

  /** Waits for a line that begins so; throws when the program ends without it. */
  async said(beginning: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(beginning));
      if (found !== undefined) return found;
      const end = await Promise.race([this.#ended, new Promise<"waiting">((resolve) => setTimeout(resolve, 5, "waiting"))]);
      if (end !== "waiting" && !this.lines.some((line) => line.startsWith(beginning)))
        throw new Error(`it ended (${end}) without saying "${beginning}":\n${this.log}`);
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** The signal or code that it ended with; its log where it failed. */
  async end(): Promise<string> {
    const end = await this.#ended;
    return typeof end === "string" ? end : `exit code ${end}:\n${this.log}`;
  }
}
