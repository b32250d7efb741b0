import { Writable } from "node:stream";

/** Hands on whole lines, each behind a name: so that the output of several programs at once can be told apart. */
export class Prefixed extends Writable {
  readonly #name: string;
  readonly #onward: Writable;
  #line = "";

  constructor(name: string, onward: Writable) {
    super();
    this.#name = name;
    this.#onward = onward;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const lines = (this.#line + chunk.toString("latin1")).split("\n"); // latin1 keeps characters that are cut in two
    this.#line = lines.pop() ?? "";
    this.#tell(lines, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#tell(this.#line === "" ? [] : [this.#line], done);
  }

  #tell(lines: readonly string[], done: (error?: Error | null) => void): void {
    if (lines.length === 0) done();
    else this.#onward.write(Buffer.from(lines.map((line) => `${this.#name} | ${line}\n`).join(""), "latin1"), done);
  }
}
