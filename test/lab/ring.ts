/** Keeps the last bytes of a stream. */
export class Ring {
  readonly #limit: number;
  #held = Buffer.alloc(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(data: Buffer): void {
    this.#held = Buffer.concat([this.#held, data]).subarray(-this.#limit);
  }

  toString(): string {
    return this.#held.toString("utf8");
  }
}
