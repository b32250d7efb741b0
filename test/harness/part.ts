import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { checkout } from "../lab/checkout.ts";
import { Prefixed } from "./prefixed.ts";
import { parseFailure, parseTally, sum, tallyLine, type Tally } from "./tally.ts";

const HEARTBEAT_MS = 30_000;

/** Hands on the lines that it is given, save tallies and the names of failures: those it gathers, for the whole command ends with its own. */
export class TallyStream extends Writable {
  readonly #onward: Writable;
  readonly #tallies: Tally[] = [];
  readonly #failures: string[] = [];
  #line = "";
  /** Told of each output. */
  onOutput: () => void = () => undefined;

  constructor(onward: Writable) {
    super();
    this.#onward = onward;
  }

  /** What the command came to; one that says nothing, or fails in spite of what it says, is a test of its own. */
  tally(code: number): Tally {
    const said = { ...sum(this.#tallies), failures: this.#failures };
    if (this.#tallies.length === 0) return { ...said, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
    return code !== 0 && said.failed === 0 ? { ...said, failed: 1 } : said;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.onOutput();
    const lines = (this.#line + chunk.toString("latin1")).split("\n"); // latin1 keeps characters that are cut in two
    this.#line = lines.pop() ?? "";
    const shown = lines.filter((line) => !this.#gather(line)).map((line) => `${line}\n`);
    if (shown.length === 0) done();
    else this.#onward.write(Buffer.from(shown.join(""), "latin1"), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#line === "" || this.#gather(this.#line)) done();
    else this.#onward.write(Buffer.from(this.#line, "latin1"), done);
  }

  #gather(line: string): boolean {
    const [tally, failure] = [parseTally(line), parseFailure(line)];
    if (tally !== undefined) this.#tallies.push(tally);
    if (failure !== undefined) this.#failures.push(failure);
    return tally !== undefined || failure !== undefined;
  }
}

/** Runs one part of a test command under a heading, with its time; its output is streamed. */
export async function part(name: string, work: () => Promise<Tally>): Promise<Tally> {
  const start = Date.now();
  const elapsed = () => `${((Date.now() - start) / 1000).toFixed(1)} s`;
  process.stderr.write(`== ${name}\n`);
  const heartbeat = setInterval(() => process.stderr.write(`== ${name} ... ${elapsed()}\n`), HEARTBEAT_MS);
  try {
    const tally = await work();
    process.stderr.write(`== ${name}: ${tallyLine(tally)}, ${elapsed()}\n`);
    return tally.failed > 0 && (tally.failures ?? []).length === 0 ? { ...tally, failures: [name] } : tally;
  } catch (error) {
    process.stderr.write(`== ${name}: FAILED, ${elapsed()}: ${error instanceof Error ? error.message : String(error)}\n`);
    return { passed: 0, failed: 1, skipped: 0, failures: [name] };
  } finally {
    clearInterval(heartbeat);
  }
}

/** Runs a program of the host from the checkout's folder, its output streamed, each line behind `name` where one is given; it ends with us. */
export async function runProgram(argv: readonly string[], name?: string): Promise<Tally> {
  const child = spawn("setpriv", ["--pdeathsig", "TERM", ...argv], { cwd: checkout, stdio: ["ignore", "pipe", name === undefined ? "inherit" : "pipe"] });
  const shown = name === undefined ? undefined : new Prefixed(name, process.stdout);
  const stdout = new TallyStream(shown ?? process.stdout);
  child.stdout?.pipe(stdout);
  if (name !== undefined) child.stderr?.pipe(new Prefixed(name, process.stderr));
  const [[code]] = (await Promise.all([once(child, "close"), once(stdout, "finish")])) as [[number | null], unknown];
  shown?.end();
  return stdout.tally(code ?? 1);
}
