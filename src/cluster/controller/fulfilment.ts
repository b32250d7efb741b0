import { DmthinError, isError, type ObjectKind } from "../../errors.ts";
import type { Call } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import { errorOf, type Failure } from "../objects/failure.ts";
import { isAccepted, isTerminating } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { troubleAt } from "./candidates.ts";
import type { ControllerParts } from "./parts.ts";
import { untilJudged } from "./waiting.ts";

type Outcome<Item> =
  | { readonly kind: "ready"; readonly item: Item }
  | { readonly kind: "failed"; readonly item: Item; readonly failure: Failure }
  | { readonly kind: "unavailable"; readonly item: Item; readonly reason: string }
  | { readonly kind: "terminating" }
  | { readonly kind: "vanished" };

/** Asks the node for it; undefined: the name is taken. Throws "node-unavailable" where nobody would take it on. */
export async function put<Item extends PlacedObject>(
  parts: ControllerParts,
  { api, cache }: Store<Item>,
  id: string,
  spec: Item["spec"],
  { signal }: Call,
): Promise<Item | undefined> {
  const reason = troubleAt(parts, spec);
  if (reason !== undefined) throw new DmthinError({ code: "node-unavailable", node: spec.nodeName, reason });
  try {
    const item = await api.create({ metadata: { name: id }, spec }, signal);
    cache.note(item);
    return item;
  } catch (error) {
    if (isError(error, "api-conflict")) return undefined;
    throw error;
  }
}

/**
 * Waits until the node has made it. A final failure is withdrawn first and thrown then; what the node has not accepted and
 * cannot now is withdrawn, and is "node-unavailable": without the node's finalizer a deletion proves that nothing exists.
 * What was accepted is waited for ("in-progress").
 */
export async function fulfilled<Item extends PlacedObject>(
  parts: ControllerParts,
  store: Store<Item>,
  kind: ObjectKind,
  asked: Item,
  call: Call,
): Promise<Item> {
  const id = asked.metadata.name;
  for (;;) {
    const outcome = await nextOutcome(parts, store, kind, asked, call);
    switch (outcome.kind) {
      case "ready":
        return outcome.item;
      case "failed":
        if (await withdraw(store, outcome.item, call.signal)) throw errorOf(outcome.failure);
        break;
      case "unavailable":
        if (await withdraw(store, outcome.item, call.signal))
          throw new DmthinError({ code: "node-unavailable", node: asked.spec.nodeName, reason: outcome.reason });
        break;
      case "terminating":
        throw new DmthinError({ code: "being-deleted", kind, id });
      case "vanished":
        throw new DmthinError({ code: "in-progress", kind, id, operation: "creation, which another controller has withdrawn" });
    }
  }
}

async function nextOutcome<Item extends PlacedObject>(
  parts: ControllerParts,
  { cache }: Store<Item>,
  kind: ObjectKind,
  asked: Item,
  call: Call,
): Promise<Outcome<Item>> {
  const { name: id, uid } = asked.metadata;
  const judge = (): Outcome<Item> | undefined => {
    const item = cache.items.get(id);
    return item === undefined || item.metadata.uid !== uid ? { kind: "vanished" } : outcomeOf(parts, item);
  };
  const waitsFor = (): string => describeWait(parts, cache.items.get(id) ?? asked);
  return untilJudged(call, { kind, id, operation: "creation" }, [cache, parts.agents, parts.nodePools.cache], judge, waitsFor);
}

function outcomeOf<Item extends PlacedObject>(parts: ControllerParts, item: Item): Outcome<Item> | undefined {
  const { phase, failure } = item.status;
  if (isTerminating(item)) return { kind: "terminating" };
  if (phase === "Ready") return { kind: "ready", item };
  if (phase === "Failed" && failure !== undefined) return { kind: "failed", item, failure };
  const reason = isAccepted(item) ? undefined : troubleAt(parts, item.spec);
  return reason === undefined ? undefined : { kind: "unavailable", item, reason };
}

/** For sentences on what is waited for: where, and why it takes so long, as far as it is known. */
export function describeWait({ agents }: ControllerParts, { spec: { nodeName }, status: { conditions } }: PlacedObject): string {
  const told = conditions.find(({ type, reason }) => type === "Ready" && reason === "Waiting")?.message;
  const reason = agents.trouble(nodeName) ?? told;
  return `on node ${nodeName}${reason === undefined ? "" : ` (${reason})`}`;
}

/**
 * Deletes exactly what was seen: not made, not accepted, or failed. Answers whether it did; false: it has changed since, and
 * what it is now is in the cache. Never what is Ready.
 */
export async function withdraw<Item extends PlacedObject>({ api, cache }: Store<Item>, { metadata, status }: Item, signal: AbortSignal): Promise<boolean> {
  if (status.phase === "Ready") throw new TypeError(`${metadata.name} is ready, and was to be withdrawn`);
  const { name, uid, resourceVersion } = metadata;
  try {
    await api.delete(name, { uid, resourceVersion }, signal);
    return true;
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
    const live = await api.get(name, signal);
    if (live === undefined) return true;
    cache.note(live);
    return false;
  }
}
