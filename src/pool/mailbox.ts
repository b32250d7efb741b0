/** Runs one turn after the other, in the order in which they came, however each ends. A turn may await. */
export class Mailbox {
  readonly #turns: (() => Promise<void>)[] = [];
  #isAtWork = false;

  run<Result>(turn: () => Result | Promise<Result>): Promise<Result> {
    return this.#enter(turn, "last");
  }

  /** Before all that wait: for what keeps applications waiting. */
  runNext<Result>(turn: () => Result | Promise<Result>): Promise<Result> {
    return this.#enter(turn, "first");
  }

  #enter<Result>(turn: () => Result | Promise<Result>, place: "first" | "last"): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const take = async (): Promise<void> => {
      try {
        resolve(await turn());
      } catch (error) {
        reject(error);
      }
    };
    if (place === "first") this.#turns.unshift(take);
    else this.#turns.push(take);
    void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    await Promise.resolve(); // nobody's turn runs within the call that asks for it
    for (let take = this.#turns.shift(); take !== undefined; take = this.#turns.shift()) await take();
    this.#isAtWork = false;
  }
}
