/** Who waits for a name to become something, and is asked at each of its changes. */
export class Waiters<Item> {
  readonly #waiters = new Map<string, Set<(item: Item | undefined) => void>>();
  readonly #ending = new AbortController();

  /** Resolves with the first answer that is not undefined, of `current` or of what is told; rejects with what `judge` throws, or the signal's reason. */
  async wait<Answer>(name: string, current: Item | undefined, judge: (item: Item | undefined) => Answer | undefined, signal: AbortSignal): Promise<Answer> {
    const ended = AbortSignal.any([signal, this.#ending.signal]);
    ended.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const ask = (item: Item | undefined): void => {
      try {
        const answer = judge(item);
        if (answer !== undefined) resolve(answer);
      } catch (error) {
        reject(error);
      }
    };
    const giveUp = (): void => reject(ended.reason);
    const ofName = this.#waiters.get(name) ?? new Set();
    this.#waiters.set(name, ofName.add(ask));
    ended.addEventListener("abort", giveUp);
    try {
      ask(current);
      return await promise;
    } finally {
      ended.removeEventListener("abort", giveUp);
      ofName.delete(ask);
      if (ofName.size === 0 && this.#waiters.get(name) === ofName) this.#waiters.delete(name);
    }
  }

  tell(name: string, item: Item | undefined): void {
    for (const ask of this.#waiters.get(name) ?? []) ask(item);
  }

  /** Nobody is told anything any more: all reject with the reason. */
  end(reason: Error): void {
    this.#ending.abort(reason);
  }
}
