/** Runs one turn after the other, in the order in which they came, however each ends. A turn may await. */
export class Mailbox {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(turn: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#last.then(turn);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
