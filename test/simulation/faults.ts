import { refusal } from "./errno.ts";

interface Fault {
  readonly verb: string;
  /** How many calls are let through first. */
  skip: number;
  readonly errno: string;
}

/** What is to go wrong. A verb is a call's name ("resume", "mount"), or one of a pool's messages ("create_thin"). */
export class Faults {
  readonly #faults: Fault[] = [];
  readonly #hanging = new Map<string, PromiseWithResolvers<void>>();

  /** The nth call (1 is the next) of a verb answers the errno, without effect. */
  fail(verb: string, nth: number, errno: string): void {
    this.#faults.push({ verb, skip: nth - 1, errno });
  }

  /** Calls of the verb hang in the kernel until the answered function is called. Only what is asynchronous can. */
  hang(verb: string): () => void {
    const gate = Promise.withResolvers<void>();
    this.#hanging.set(verb, gate);
    return () => {
      this.#hanging.delete(verb);
      gate.resolve();
    };
  }

  check(verb: string, subject: string): void {
    const fault = this.#faults.find((candidate) => candidate.verb === verb && candidate.skip-- === 0);
    if (fault === undefined) return;
    this.#faults.splice(this.#faults.indexOf(fault), 1);
    throw refusal(verb, subject, fault.errno);
  }

  async released(verb: string): Promise<void> {
    await this.#hanging.get(verb)?.promise;
  }
}
