import { DmthinError } from "../errors.ts";
import { kindOfId } from "./ids.ts";

export interface Subjects {
  /** What the operation changes: nobody else may be at work on it. */
  readonly exclusive: readonly string[];
  /** What it reads, such as a snapshot that is restored: others may read it too. */
  readonly shared?: readonly string[];
}

interface Holder {
  readonly operation: string;
  readonly exclusive: boolean;
}

/** Who works on what. Ids are taken in one synchronous step, all of a call's or none, and nobody waits. */
export class Locks {
  readonly #holders = new Map<string, Set<Holder>>();

  /** Throws "in-progress", with what is under way. */
  take(operation: string, { exclusive, shared = [] }: Subjects): Disposable {
    const wanted = [...exclusive.map((id) => ({ id, exclusive: true })), ...shared.map((id) => ({ id, exclusive: false }))];
    for (const each of wanted) {
      const inTheWay = [...(this.#holders.get(each.id) ?? [])].find((holder) => holder.exclusive || each.exclusive);
      if (inTheWay !== undefined) throw new DmthinError({ code: "in-progress", kind: kindOfId(each.id), id: each.id, operation: inTheWay.operation });
    }
    const taken = wanted.map((each) => this.#add(each.id, { operation, exclusive: each.exclusive }));
    return { [Symbol.dispose]: () => taken.forEach((release) => release()) };
  }

  #add(id: string, holder: Holder): () => void {
    const holders = this.#holders.get(id) ?? new Set();
    this.#holders.set(id, holders.add(holder));
    return () => {
      holders.delete(holder);
      if (holders.size === 0 && this.#holders.get(id) === holders) this.#holders.delete(id);
    };
  }
}
