import type { Writable } from "node:stream";

interface Done {
  readonly title: string;
  readonly ms: number;
}

const duration = (ms: number): string => (ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** Tells what happens while it happens, a line a step, and remembers how long each took. */
export class Steps {
  readonly #out: Writable;
  readonly #done: Done[] = [];

  constructor(out: Writable) {
    this.#out = out;
  }

  heading(text: string): void {
    this.#out.write(`\n${text}\n`);
  }

  /** Within a step that takes long. */
  progress(text: string): void {
    this.#out.write(`      ${text}\n`);
  }

  /** @param found says what came of it, in a few words */
  async step<Result>(title: string, run: () => Promise<Result>, found: (result: Result) => string = () => ""): Promise<Result> {
    const begun = performance.now();
    try {
      const result = await run();
      const ms = performance.now() - begun;
      this.#done.push({ title, ms });
      const said = found(result);
      this.#out.write(`  ok  ${title.padEnd(58)} ${duration(ms).padStart(9)}\n${said === "" ? "" : `      ${said}\n`}`);
      return result;
    } catch (error) {
      this.#out.write(`  !!  ${title}: ${error instanceof Error ? error.message : String(error)}\n`);
      throw error;
    }
  }

  /** The steps again, the slowest marked with a bar: for a glance at the end. */
  summary(): void {
    const longest = Math.max(...this.#done.map(({ ms }) => ms));
    this.heading("What it did, and how long each step took");
    for (const { title, ms } of this.#done) {
      const bar = "#".repeat(Math.max(1, Math.round((Math.log10(1 + ms) / Math.log10(1 + longest)) * 20)));
      this.#out.write(`  ${title.padEnd(58)} ${duration(ms).padStart(9)}  ${bar}\n`);
    }
  }
}
