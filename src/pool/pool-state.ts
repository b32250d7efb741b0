import type { PoolState } from "./pool-calls.ts";

export interface StateTrouble {
  /** One word for machines: the reason of a condition, or of an event. */
  readonly reason: string;
  /** For people, after the pool's name or "it". */
  readonly words: string;
}

const TROUBLES: Readonly<Record<Exclude<PoolState, "rw">, StateTrouble>> = {
  ro: { reason: "ReadOnly", words: "is read-only: its metadata cannot be written" },
  out_of_data_space: { reason: "Full", words: "is out of data space: writes wait or fail until there is more" },
  needs_check: { reason: "NeedsCheck", words: "needs a check of its metadata, and is read-only until then" },
  Fail: { reason: "Failed", words: "has failed: the kernel neither reads nor writes it" },
  Error: { reason: "Unknown", words: "does not tell its state: the kernel answers with an error" },
};

const BY_STATE: ReadonlyMap<string, StateTrouble> = new Map(Object.entries(TROUBLES));

/** What is wrong with a pool in this state; undefined: nothing. A state that only another version of the driver knows is told as it is. */
export const stateTrouble = (state: string): StateTrouble | undefined =>
  state === "rw" ? undefined : (BY_STATE.get(state) ?? { reason: "Unknown", words: `is in state ${state}` });
