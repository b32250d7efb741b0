import { isError } from "../../errors.ts";
import type { Store } from "../api/store.ts";
import { isAccepted, isTerminating, NODE_FINALIZER, type ApiObject } from "../objects/meta.ts";
import type { NodeThinPool } from "../objects/node-thin-pool.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { withdraw } from "./fulfilment.ts";
import { lossOf, missingSince } from "./lost-nodes.ts";
import type { ControllerParts } from "./parts.ts";
import type { Task } from "./tasks.ts";

/** On a NodeThinPool, by an administrator: its node does not come back, and what it held is not waited for. */
export const FORGET = "dmthin.io/forget";

/** What waits for nodes that are gone: forgotten when somebody says so, and no more marked when the node is there again. */
export const tombstones = (parts: ControllerParts): Task => ({
  name: "tombstones",
  sources: [parts.nodes.cache, parts.nodePools.cache, parts.volumes.cache, parts.snapshots.cache, parts.groups.cache],
  run: async (signal) => {
    await eachKind(parts, async (store) => unmarkReturned(parts, store, signal));
    for (const pool of parts.nodePools.cache.items.values()) if (FORGET in pool.metadata.annotations) await forget(parts, pool, signal);
  },
});

async function eachKind(parts: ControllerParts, act: <Item extends PlacedObject>(store: Store<Item>) => Promise<void>): Promise<void> {
  await act(parts.volumes);
  await act(parts.snapshots);
  await act(parts.groups);
}

/** Since when a node was missing says nothing once it was there again. */
async function unmarkReturned<Item extends PlacedObject>(parts: ControllerParts, store: Store<Item>, signal: AbortSignal): Promise<void> {
  const marked = [...store.cache.items.values()].filter((item) => missingSince(item) !== undefined && parts.nodes.cache.items.has(item.spec.nodeName));
  for (const item of marked) await lossOf(parts, store, item, signal);
}

/** Only while its Node is missing, asked for live: a node that is there carries out itself what is to be deleted. */
async function forget(parts: ControllerParts, pool: NodeThinPool, signal: AbortSignal): Promise<void> {
  const { nodeName, poolName } = pool.spec;
  if (parts.nodes.cache.items.has(nodeName) || (await parts.nodes.api.get(nodeName, signal)) !== undefined) {
    return disarm(parts, pool, signal);
  }
  let left = 0;
  await eachKind(parts, async (store) => {
    for (const item of Array.from(store.cache.items.values())) {
      if (item.spec.nodeName !== nodeName || item.spec.poolName !== poolName) continue;
      const isForgotten = isTerminating(item) && isAccepted(item) && (await release(store, item, signal));
      if (isForgotten) parts.logger.info("forgotten with its node", { object: item.metadata.name, node: nodeName });
      else left++;
      // What was never made is not in use: its claim gets it elsewhere.
      if (!isTerminating(item) && item.status.phase !== "Ready") await withdraw(store, item, signal);
    }
  });
  // With it goes the word to forget: it stays for what is still to be deleted.
  if (left > 0) return;
  await release(parts.nodePools, pool, signal);
  await parts.nodePools.api.delete(pool.metadata.name, { uid: pool.metadata.uid }, signal);
  parts.logger.info("a NodeThinPool is forgotten with its node", { nodeThinPool: pool.metadata.name });
}

/** What was said too early does not lie in wait for a Node that is away for a moment, as one is that registers anew. */
async function disarm({ nodePools: { api, cache }, logger }: ControllerParts, { metadata }: NodeThinPool, signal: AbortSignal): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  try {
    const disarmed = await api.patch(name, { metadata: { annotations: { [FORGET]: null } } }, { preconditions: { uid, resourceVersion } }, signal);
    if (disarmed !== undefined) cache.note(disarmed);
    logger.warn("a NodeThinPool is not forgotten, since its Node is there: delete that first, then annotate again", { nodeThinPool: name });
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
  }
}

/** Takes the node's finalizer off what was seen; answers false when it has changed since: it is looked at again. */
async function release<Item extends ApiObject>({ api, cache }: Store<Item>, { metadata }: Item, signal: AbortSignal): Promise<boolean> {
  const { name, uid, resourceVersion, finalizers } = metadata;
  if (!finalizers.includes(NODE_FINALIZER)) return true;
  const left = finalizers.filter((each) => each !== NODE_FINALIZER);
  try {
    const released = await api.patch(name, { metadata: { finalizers: left } }, { preconditions: { uid, resourceVersion } }, signal);
    if (released !== undefined && !isTerminating(released)) cache.note(released);
    return true;
  } catch (error) {
    if (isError(error, "api-conflict")) return false;
    throw error;
  }
}
