import { isError } from "../../errors.ts";
import type { Store } from "../api/store.ts";
import type { ApiObject } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import type { ControllerParts } from "./parts.ts";

/** On what waits for a node that is gone: since when it was found so. It outlives the controller that found it. */
export const MISSING_SINCE = "dmthin.io/node-missing-since";

export type Loss = { readonly isLost: true } | { readonly isLost: false; readonly reason: string };

/**
 * Whether the node that an object waits for is lost: its Node was missing when asked for live, twice, with the agreed time
 * between. The first time is written down on the object; a Node that is there again has it taken away.
 */
export async function lossOf<Item extends PlacedObject>(parts: ControllerParts, store: Store<Item>, item: Item, signal?: AbortSignal): Promise<Loss> {
  const { nodeName } = item.spec;
  const node = await parts.nodes.api.get(nodeName, signal);
  const since = missingSince(item);
  if (node !== undefined) {
    if (since !== undefined) await markMissing(store, item, null, signal);
    return { isLost: false, reason: "its Node is there again" };
  }
  const now = parts.now();
  if (since === undefined) await markMissing(store, item, new Date(now).toISOString(), signal);
  const goneForMs = now - (since ?? now);
  if (since !== undefined && goneForMs >= parts.nodeMissingForMs) return { isLost: true };
  const leftSeconds = Math.ceil((parts.nodeMissingForMs - goneForMs) / 1000);
  return { isLost: false, reason: `its Node is gone; if it stays so for ${leftSeconds} s more, the node counts as lost` };
}

/** Milliseconds since 1970; undefined: not seen missing, or what stands there is no time. */
export function missingSince({ metadata: { annotations } }: ApiObject): number | undefined {
  const since = Date.parse(annotations[MISSING_SINCE] ?? "");
  return Number.isNaN(since) ? undefined : since;
}

/** Of the object as it was seen: one that has changed since is looked at the next time. */
async function markMissing<Item extends PlacedObject>(
  { api, cache }: Store<Item>,
  { metadata }: Item,
  since: string | null,
  signal?: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  try {
    const marked = await api.patch(name, { metadata: { annotations: { [MISSING_SINCE]: since } } }, { preconditions: { uid, resourceVersion } }, signal);
    if (marked !== undefined) cache.note(marked);
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
  }
}
