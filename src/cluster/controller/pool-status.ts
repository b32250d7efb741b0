import { isDeepStrictEqual } from "node:util";
import { isError } from "../../errors.ts";
import type { Store } from "../api/store.ts";
import { matchesLabels } from "../objects/label-selector.ts";
import { isTerminating, POOL_FINALIZER, type ObjectCondition } from "../objects/meta.ts";
import type { NodeThinPool } from "../objects/node-thin-pool.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import type { ThinPool, ThinPoolStatus } from "../objects/thin-pool.ts";
import type { ControllerParts } from "./parts.ts";
import { follows } from "./pools.ts";
import type { Task } from "./tasks.ts";

/** A sentence on every node would be no sentence. */
const NODES_NAMED = 5;

/** What a ThinPool says of all its nodes together; and its end, which waits for what it holds. */
export const poolStatus = (parts: ControllerParts): Task => ({
  name: "pool status",
  sources: [parts.agents, parts.pools.cache, parts.nodePools.cache, parts.nodes.cache, parts.volumes.cache, parts.snapshots.cache, parts.groups.cache],
  run: async (signal) => {
    for (const pool of parts.pools.cache.items.values()) {
      const isOver = await tend(parts, pool, signal);
      if (!isOver) await tell(parts, pool, signal);
    }
  },
});

/** Sees to the finalizer. Answers whether the pool is gone with it, or has changed and is looked at again. */
async function tend(parts: ControllerParts, pool: ThinPool, signal: AbortSignal): Promise<boolean> {
  const { finalizers } = pool.metadata;
  const isHeld = finalizers.includes(POOL_FINALIZER);
  if (!isTerminating(pool)) return isHeld ? false : setFinalizers(parts, pool, [...finalizers, POOL_FINALIZER], signal);
  if (!isHeld || holdingsOf(parts, pool).length > 0) return false;
  const nodePools = nodePoolsOf(parts, pool);
  await Promise.all(nodePools.map(async (nodePool) => dropIfLost(parts, nodePool, signal)));
  if (nodePools.length > 0) return false;
  return setFinalizers(
    parts,
    pool,
    finalizers.filter((each) => each !== POOL_FINALIZER),
    signal,
  );
}

async function setFinalizers({ pools }: ControllerParts, { metadata }: ThinPool, finalizers: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { name, uid, resourceVersion } = metadata;
  try {
    const changed = await pools.api.patch(name, { metadata: { finalizers } }, { preconditions: { uid, resourceVersion } }, signal);
    if (changed !== undefined && changed.metadata.finalizers.length > 0) pools.cache.note(changed);
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
  }
  return true;
}

/** A pool that is to go and holds nothing needs nobody on a node that is gone itself. */
async function dropIfLost({ nodes, nodePools }: ControllerParts, { metadata, spec }: NodeThinPool, signal: AbortSignal): Promise<void> {
  if (nodes.cache.items.has(spec.nodeName) || (await nodes.api.get(spec.nodeName, signal)) !== undefined) return;
  const { name, uid, resourceVersion, finalizers } = metadata;
  try {
    if (finalizers.length > 0) await nodePools.api.patch(name, { metadata: { finalizers: [] } }, { preconditions: { uid, resourceVersion } }, signal);
    await nodePools.api.delete(name, { uid }, signal);
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
  }
}

const nodePoolsOf = ({ nodePools }: ControllerParts, { metadata }: ThinPool): readonly NodeThinPool[] =>
  [...nodePools.cache.items.values()].filter(({ spec }) => spec.poolName === metadata.name);

/** What the cluster has in the pool, on whatever node: what is being deleted is still there. */
function holdingsOf({ volumes, snapshots, groups }: ControllerParts, { metadata: { name } }: ThinPool): readonly string[] {
  const inPool = <Item extends PlacedObject>({ cache }: Store<Item>): readonly Item[] => [...cache.items.values()].filter(({ spec }) => spec.poolName === name);
  const counts = [
    [inPool(volumes).length, "volume"],
    [inPool(snapshots).length, "snapshot"],
    [inPool(groups).length, "group snapshot"],
  ] as const;
  return counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}${count === 1 ? "" : "s"}`);
}

async function tell(parts: ControllerParts, pool: ThinPool, signal: AbortSignal): Promise<void> {
  const status = statusOf(parts, pool);
  if (isDeepStrictEqual(withoutTimes(status), withoutTimes(pool.status))) return;
  const { name, uid } = pool.metadata;
  try {
    const told = await parts.pools.api.patch(name, { status }, { subresource: "status", preconditions: { uid } }, signal);
    if (told !== undefined) parts.pools.cache.note(told);
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error;
  }
}

const withoutTimes = (status: ThinPoolStatus): unknown => ({
  ...status,
  conditions: status.conditions.map((condition) => ({ ...condition, lastTransitionTime: "" })),
});

function statusOf(parts: ControllerParts, pool: ThinPool): ThinPoolStatus {
  const { metadata, spec } = pool;
  const wanted = [...parts.nodes.cache.items.values()]
    .filter((node) => matchesLabels(spec.nodeSelector, node.metadata.labels))
    .map((node) => node.metadata.name);
  const nodePools = nodePoolsOf(parts, pool);
  const ready = nodePools.filter(({ spec: { nodeName }, status }) => isServing(status) && parts.agents.trouble(nodeName) === undefined);
  const conditions = [readiness(parts, pool, wanted, nodePools), ...deletion(parts, pool, nodePools)];
  return {
    desiredNodes: wanted.length,
    readyNodes: ready.length,
    observedGeneration: metadata.generation,
    conditions: conditions.map((condition) => dated(condition, pool.status.conditions, parts.now())),
  };
}

type Told = Omit<ObjectCondition, "lastTransitionTime">;

/** What a node last told stands there when its driver is gone, so that is looked at as well. */
function readiness({ agents }: ControllerParts, pool: ThinPool, wanted: readonly string[], nodePools: readonly NodeThinPool[]): Told {
  if (wanted.length === 0) return { type: "Ready", status: "False", reason: "NoNodes", message: "no node matches nodeSelector" };
  const known = new Map(nodePools.map((nodePool) => [nodePool.spec.nodeName, nodePool.status]));
  const serves = (node: string): boolean => isServing(known.get(node)) && agents.trouble(node) === undefined;
  const troubles = wanted.flatMap((node) => {
    const status = known.get(node);
    const absence = agents.trouble(node);
    if (status !== undefined && follows(status) && serves(node)) return [];
    const told = status === undefined ? absent(pool) : [inAWord(status), status.message].filter((word) => word !== "").join(", ");
    return [`node ${node}: ${status !== undefined && absence !== undefined ? `${absence}; told before: ` : ""}${told}`];
  });
  if (troubles.length === 0) return { type: "Ready", status: "True", reason: "AllNodesReady", message: `ready on ${spellNodes(wanted.length)}` };
  const reason = wanted.every(serves) ? "ChangeRefused" : "NodesNotReady";
  const rest = troubles.length > NODES_NAMED ? `; and ${troubles.length - NODES_NAMED} more` : "";
  return { type: "Ready", status: "False", reason, message: `${troubles.slice(0, NODES_NAMED).join("; ")}${rest}` };
}

/** An open pool may serve badly or not at all, such as one that is full: its node's condition tells. */
const isServing = (status: NodeThinPool["status"] | undefined): boolean => status?.phase === "Ready" && readyCondition(status)?.status !== "False";

const readyCondition = ({ conditions }: NodeThinPool["status"]): ObjectCondition | undefined => conditions.find(({ type }) => type === "Ready");

const inAWord = (status: NodeThinPool["status"]): string =>
  status.phase === "Ready" && !isServing(status) ? (readyCondition(status)?.reason ?? status.phase) : status.phase;

const absent = (pool: ThinPool): string => (isTerminating(pool) ? "has it no more" : "nothing is known yet; does the driver run there?");

const spellNodes = (count: number): string => `${count} node${count === 1 ? "" : "s"}`;

function deletion(parts: ControllerParts, pool: ThinPool, nodePools: readonly NodeThinPool[]): readonly Told[] {
  if (!isTerminating(pool)) return [];
  const holdings = holdingsOf(parts, pool);
  const nodes = nodePools.map(({ spec }) => spec.nodeName).slice(0, NODES_NAMED);
  if (holdings.length === 0) {
    return [{ type: "Deleting", status: "True", reason: "NodesClosing", message: `waits until its nodes have closed it: ${nodes.join(", ")}` }];
  }
  const message = `waits until it holds nothing: it has ${holdings.join(", ")} (kubectl get thinvolumes,thinsnapshots,thinsnapshotgroups); delete their claims and VolumeSnapshots first`;
  return [{ type: "Deleting", status: "True", reason: "HoldsVolumes", message }];
}

/** One that says what it said keeps its time. */
function dated(told: Told, before: readonly ObjectCondition[], now: number): ObjectCondition {
  const last = before.find(({ type }) => type === told.type);
  return { ...told, lastTransitionTime: last?.status === told.status ? last.lastTransitionTime : new Date(now).toISOString() };
}
