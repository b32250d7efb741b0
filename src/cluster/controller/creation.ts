import { DmthinError, type ObjectKind } from "../../errors.ts";
import { requireTime } from "../../volumes/operations.ts";
import type { Call } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import { isTerminating } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { findLive } from "./find.ts";
import { fulfilled, put } from "./fulfilment.ts";
import type { ControllerParts } from "./parts.ts";
import { makeWay } from "./removal.ts";

export interface Creation<Item extends PlacedObject> {
  readonly store: Store<Item>;
  readonly kind: ObjectKind;
  /** Derived from the name that is asked for. */
  readonly id: string;
  /** Whether what is there, has not failed and is not begun, is of no use; undefined: never. */
  readonly isUseless?: (existing: Item) => boolean;
  /** How what is there is not what is asked for; undefined: it is. */
  readonly differenceOf: (existing: Item) => string | undefined;
  /** What to ask for, once it is known where it has to be. */
  readonly spec: () => Promise<Item["spec"]>;
}

/**
 * Finds the object of that name, or puts it there, and waits until its node has made it. The object is what excludes
 * others: who makes it first has decided where it is, and everybody else waits for the same object. Throws "already-exists"
 * and "being-deleted".
 */
export async function created<Item extends PlacedObject>(parts: ControllerParts, creation: Creation<Item>, call: Call): Promise<Item> {
  const { store, kind, id, spec } = creation;
  using _ = parts.locks.take("creation", { exclusive: [id] });
  // What the watch tells may be of one that is deleted since: what is there already is looked at live.
  let existing = store.cache.items.has(id) ? await findLive(store, id, call) : undefined;
  for (;;) {
    requireTime(call, `creation of ${kind} ${id}`);
    const standing = existing === undefined ? undefined : await standingOf(parts, creation, existing, call);
    const item = standing ?? (await put(parts, store, id, await spec(), call));
    if (item !== undefined) return await fulfilled(parts, store, kind, item, call);
    existing = await findLive(store, id, call);
  }
}

/** What is there already, if it may stay: what has failed, or is of no use, makes way. */
async function standingOf<Item extends PlacedObject>(
  parts: ControllerParts,
  { store, kind, id, isUseless, differenceOf }: Creation<Item>,
  existing: Item,
  call: Call,
): Promise<Item | undefined> {
  const hasFailed = existing.status.phase === "Failed";
  if (isTerminating(existing) && !hasFailed) throw new DmthinError({ code: "being-deleted", kind, id });
  if (hasFailed || isUseless?.(existing) === true) {
    await makeWay(parts, store, kind, existing, call);
    return undefined;
  }
  const difference = differenceOf(existing);
  if (difference !== undefined) throw new DmthinError({ code: "already-exists", kind, id, difference });
  return existing;
}
