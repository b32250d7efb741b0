/**
 * What a transition is about to do in the kernel, committed before it does it. `from` is the pool's transaction id then;
 * the transition moves it to `from + 1` before anything else, so that what it makes carries an id of its own.
 */
export type Intent = { readonly from: number; readonly ids: readonly string[]; readonly numbers: readonly number[] } & (
  | { readonly kind: "create" }
  | { readonly kind: "snapshot" }
  | { readonly kind: "remove" }
  /** Nothing in the kernel but its transaction id: a catalogue that still says `formatting` is then too old to be believed. */
  | { readonly kind: "format" }
  /** A thin device that was there already gets a record: like `format`, nothing in the kernel but its transaction id. */
  | { readonly kind: "adopt" }
);
