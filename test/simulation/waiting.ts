/** Thrown where the kernel would make its caller sleep: try again when `until` has resolved. */
export class WouldWait extends Error {
  readonly until: Promise<void>;

  constructor(reason: string, until: Promise<void>) {
    super(`the kernel would make its caller wait: ${reason}`);
    this.until = until;
  }
}

/** Does what may have to wait, again and again until it need not. */
export async function waiting<Result>(attempt: () => Result): Promise<Result> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof WouldWait)) throw error;
      await error.until;
    }
  }
}

/** Something that changes, and wakes all who wait for it. */
export class Wakeup {
  #next = Promise.withResolvers<void>();

  get promise(): Promise<void> {
    return this.#next.promise;
  }

  wake(): void {
    const woken = this.#next;
    this.#next = Promise.withResolvers<void>();
    woken.resolve();
  }
}
