import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

/** A program that runs until it is stopped; what it says is added to a file. */
export class Daemon implements AsyncDisposable {
  readonly name: string;
  readonly #argv: readonly string[];
  readonly #log: string;
  #child: ChildProcess | undefined;

  constructor(name: string, argv: readonly string[], log: string) {
    this.name = name;
    this.#argv = argv;
    this.#log = log;
  }

  start(): void {
    const log = openSync(this.#log, "a");
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", ...this.#argv], { stdio: ["ignore", log, log] });
    closeSync(log);
  }

  /** @throws Error when it has ended by itself */
  assertRunning(): void {
    const end = this.#child?.exitCode ?? this.#child?.signalCode ?? undefined;
    if (end !== undefined) throw new Error(`${this.name} has ended (${end}): ${readFileSync(this.#log, "utf8").slice(-2000)}`);
  }

  /** At once, as when a machine fails: an API server whose etcd is gone would take minutes to stop by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
