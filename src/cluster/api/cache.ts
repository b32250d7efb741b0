import type { ApiObject } from "../objects/meta.ts";

/** What a watch has told so far, for one kind and selection. */
export interface Cache<Item extends ApiObject> {
  /** Resolves when the first list is in; answers of an unsynced cache prove nothing. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** By name. */
  readonly items: ReadonlyMap<string, Item>;
  /** Called after each change, `undefined` for what is gone; the answered function ends it. */
  onChange(listener: (name: string, item: Item | undefined) => void): () => void;
  /**
   * Resolves with what `judge` answers once that is not undefined: asked at once, and at each change of that name, with
   * undefined when the object is gone. Rejects with the signal's reason.
   */
  until<Answer>(name: string, judge: (item: Item | undefined) => Answer | undefined, signal: AbortSignal): Promise<Answer>;
  /** What a request answered, when that is newer than what the watch has told: a caller sees its own change. */
  note(item: Item): void;
  close(): Promise<void>;
}
