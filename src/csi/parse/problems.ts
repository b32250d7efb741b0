import { DmthinError } from "../../errors.ts";

/** Gathers what is wrong with a request, so that all of it is told at once. */
export class Problems {
  readonly #sentences: string[] = [];

  add(sentence: string): void {
    this.#sentences.push(sentence);
  }

  get all(): readonly string[] {
    return this.#sentences;
  }

  /** Throws "invalid-argument" when there is any. */
  throwIfAny(): void {
    if (this.#sentences.length > 0) throw new DmthinError({ code: "invalid-argument", problems: this.#sentences });
  }
}
