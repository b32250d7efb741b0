import { DmthinError, isError, type ObjectKind } from "../../errors.ts";
import type { Call } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import { errorOf, type Failure } from "../objects/failure.ts";
import { isAccepted, isTerminating } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { findLive } from "./find.ts";
import { describeWait, withdraw } from "./fulfilment.ts";
import { lossOf } from "./lost-nodes.ts";
import type { ControllerParts } from "./parts.ts";
import { untilJudged } from "./waiting.ts";

/** A refusal that stood before this call is believed when the node has said nothing else for so long: it looks again by itself. */
const REFUSAL_STANDS_MS = 5_000;

/**
 * Deletes the object, and waits until the node has done its part: only then is it gone. Gone already is success. What the
 * node refuses is thrown, and the object goes on waiting to be deleted. A node that is lost is not waited for.
 */
export async function remove<Item extends PlacedObject>(parts: ControllerParts, store: Store<Item>, kind: ObjectKind, id: string, call: Call): Promise<void> {
  using _ = parts.locks.take("deletion", { exclusive: [id] });
  const known = store.cache.items.get(id);
  // Its end may have passed by the watch, and its name be another's: only what is alive is known well enough.
  for (
    let item = known === undefined || isTerminating(known) ? await findLive(store, id, call) : known;
    item !== undefined;
    item = await findLive(store, id, call)
  ) {
    if (isTerminating(item) || (await deleteExactly(store, item, call))) return void (await untilGone(parts, store, kind, item, call));
  }
}

/** By uid: a name used again is another object. Answers false when it was that. */
async function deleteExactly<Item extends PlacedObject>({ api }: Store<Item>, { metadata: { name, uid } }: Item, call: Call): Promise<boolean> {
  try {
    await api.delete(name, { uid }, call.signal);
    return true;
  } catch (error) {
    if (isError(error, "api-conflict")) return false;
    throw error;
  }
}

type Ending = { readonly kind: "gone" } | { readonly kind: "refused"; readonly failure: Failure } | { readonly kind: "node missing" };

/** What was never made, and is not to be any more, is withdrawn, and waited for until its name is free. Throws "being-deleted" when a lost node keeps it. */
export async function makeWay<Item extends PlacedObject>(parts: ControllerParts, store: Store<Item>, kind: ObjectKind, item: Item, call: Call): Promise<void> {
  if (!isTerminating(item) && !(await withdraw(store, item, call.signal))) return;
  if ((await untilGone(parts, store, kind, item, call)) === "lost") throw new DmthinError({ code: "being-deleted", kind, id: item.metadata.name });
}

/** Of an object whose deletion is under way. "lost": the object is still there, and its node is not. */
async function untilGone<Item extends PlacedObject>(
  parts: ControllerParts,
  store: Store<Item>,
  kind: ObjectKind,
  seen: Item,
  call: Call,
): Promise<"gone" | "lost"> {
  const { name: id, uid } = seen.metadata;
  const { nodeName } = seen.spec;
  const { cache } = store;
  const refusalBefore = refusalOf(cache.items.get(id) ?? seen);
  const clock = new Clock(REFUSAL_STANDS_MS);
  const judge = (): Ending | undefined => {
    const item = cache.items.get(id);
    if (item === undefined || item.metadata.uid !== uid) return { kind: "gone" };
    const failure = refusalOf(item);
    if (failure !== undefined && (clock.hasRung || !isSame(failure, refusalBefore))) return { kind: "refused", failure };
    return isTerminating(item) && isAccepted(item) && isMissing(parts, nodeName) ? { kind: "node missing" } : undefined;
  };
  try {
    const waitsFor = (): string => describeWait(parts, cache.items.get(id) ?? seen);
    const sources = [cache, parts.agents, parts.nodes.cache, clock];
    const ending = await untilJudged(call, { kind, id, operation: "deletion" }, sources, judge, waitsFor);
    if (ending.kind === "refused") throw errorOf(ending.failure);
    return ending.kind === "gone" ? "gone" : await requireLost(parts, store, kind, id, call);
  } finally {
    clock.stop();
  }
}

/** What the node says of the deletion itself: a deletion is a generation of its own. */
function refusalOf(item: PlacedObject): Failure | undefined {
  const { failure } = item.status;
  return isTerminating(item) && failure !== undefined && failure.generation >= item.metadata.generation ? failure : undefined;
}

const isSame = (left: Failure, right: Failure | undefined): boolean => JSON.stringify(left) === JSON.stringify(right);

const isMissing = ({ nodes }: ControllerParts, nodeName: string): boolean => !nodes.cache.items.has(nodeName);

/** The deletion of what a lost node holds is done for its caller; the object stays, for the node to carry it out if it returns. Throws "in-progress". */
async function requireLost<Item extends PlacedObject>(
  parts: ControllerParts,
  store: Store<Item>,
  kind: ObjectKind,
  id: string,
  call: Call,
): Promise<"gone" | "lost"> {
  const item = await findLive(store, id, call);
  if (item === undefined) return "gone";
  const loss = await lossOf(parts, store, item, call.signal);
  if (loss.isLost) return "lost";
  throw new DmthinError({ code: "in-progress", kind, id, operation: `deletion on node ${item.spec.nodeName} (${loss.reason})` });
}

/** Rings once. */
class Clock {
  hasRung = false;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<() => void>();

  constructor(afterMs: number) {
    this.#timer = setTimeout(() => {
      this.hasRung = true;
      for (const listener of this.#listeners) listener();
    }, afterMs);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
