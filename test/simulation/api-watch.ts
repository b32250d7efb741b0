import type { Selection, WatchEvent } from "../../src/cluster/api/objects-api.ts";
import { selects } from "./api-selection.ts";
import type { ApiStore, Change, StoredObject } from "./api-store.ts";

export type StoredEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: StoredObject }
  | Extract<WatchEvent<never>, { readonly type: "BOOKMARK" }>;

/** One watch: what it has to tell waits for its turn, as on a connection. */
export class SimulatedWatch {
  readonly store: ApiStore;
  readonly #selection: Selection;
  readonly #onEnd: (watch: SimulatedWatch) => void;
  readonly #ended = Promise.withResolvers<void>();
  #queue: Promise<void> = Promise.resolve();
  #onEvent: (event: StoredEvent) => void = () => undefined;
  #isOver = false;

  constructor(store: ApiStore, selection: Selection, onEnd: (watch: SimulatedWatch) => void) {
    this.store = store;
    this.#selection = selection;
    this.#onEnd = onEnd;
    this.#ended.promise.catch(() => undefined); // it may fail before anybody runs it
  }

  async run(onEvent: (event: StoredEvent) => void, signal: AbortSignal): Promise<void> {
    this.#onEvent = onEvent;
    const abort = (): void => this.fail(signal.reason as Error);
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      await this.#ended.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#isOver = true;
      this.#onEnd(this);
    }
  }

  /** What stops to be selected is told as deleted, what begins to be as added. */
  tellChange({ before, object, isGone }: Change): void {
    const was = before !== undefined && selects(this.#selection, before);
    const is = !isGone && selects(this.#selection, object);
    if (is) this.tell({ type: was ? "MODIFIED" : "ADDED", object });
    else if (was) this.tell({ type: "DELETED", object });
  }

  tell(event: StoredEvent): void {
    this.#then(async () => {
      await nextTurn();
      if (!this.#isOver) this.#onEvent(event);
    });
  }

  hold(until: Promise<void>): void {
    this.#then(async () => until);
  }

  stall(): void {
    this.hold(new Promise(() => undefined));
  }

  end(): void {
    this.#then(async () => this.#ended.resolve());
  }

  fail(error: Error): void {
    this.#isOver = true;
    this.#ended.reject(error);
  }

  #then(act: () => Promise<void>): void {
    const before = this.#queue;
    this.#queue = (async () => {
      await before;
      await act();
    })();
  }
}

const nextTurn = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
