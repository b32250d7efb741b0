import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { PoolCalls } from "../../../src/pool/pool-calls.ts";
import type { Answer, HostOptions, Request } from "./host.ts";

type Asked = Request extends infer Kind ? (Kind extends Request ? Omit<Kind, "id"> : never) : never;

/** A process with pools (host.ts), and what to ask it. */
export class HostedPools {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #ready = Promise.withResolvers<readonly string[]>();
  #lastId = 0;
  log = "";

  constructor(options: HostOptions) {
    const host = join(import.meta.dirname, "host.ts");
    this.#child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", host, JSON.stringify(options)], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin?.on("error", () => undefined); // asked of a process that is gone
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    this.#child.on("exit", () => this.#ready.reject(new Error(`the host ended:\n${this.log}`)));
    if (this.#child.stdout !== null) createInterface(this.#child.stdout).on("line", (line) => this.#hear(line));
  }

  /** What each pool says when all have decided: "ready", if all is well. */
  get ready(): Promise<readonly string[]> {
    return this.#ready.promise;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(asked: Asked): Promise<Answer> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#child.stdin?.write(`${JSON.stringify({ id, ...asked })}\n`);
    return promise;
  }

  async call(pool: string, name: keyof PoolCalls, ...args: readonly unknown[]): Promise<Answer> {
    return this.ask({ do: "call", pool, name, args });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }

  #hear(line: string): void {
    const said = JSON.parse(line) as Answer | readonly string[];
    if (!("id" in said)) this.#ready.resolve(said);
    else this.#waiting.get(said.id)?.(said);
  }
}
