import type { ApiServer } from "../api/objects-api.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "../objects/kinds.ts";
import { isTerminating, type ApiObject } from "../objects/meta.ts";
import type { NodeThinPool } from "../objects/node-thin-pool.ts";
import type { ThinPool } from "../objects/thin-pool.ts";
import { mergePatch } from "../node/merge-patch.ts";

/** What whoever installs and removes the driver asks of a cluster: a few requests each, nothing is watched. */

export interface AppliedPool {
  readonly name: string;
  readonly outcome: "made" | "changed" | "as it was";
}

/**
 * Makes ThinPools and changes those that are there, so that each has just this spec. One that is not named stays: nobody's
 * data goes by a line that was left out. Throws "api-refused" with the API server's words, "api-conflict" when somebody changed one meanwhile.
 */
export async function applyPools(server: ApiServer, pools: Readonly<Record<string, object>>, signal?: AbortSignal): Promise<readonly AppliedPool[]> {
  const api = server.objects(THIN_POOL);
  const applied: AppliedPool[] = [];
  for (const [name, spec] of Object.entries(pools)) {
    const found = await api.get(name, signal);
    if (found === undefined) await api.create({ metadata: { name }, spec }, signal);
    const patch = found === undefined ? undefined : mergePatch(found.spec, { deletionPolicy: "Retain", ...spec });
    if (found !== undefined && patch !== undefined) {
      const { uid, resourceVersion } = found.metadata;
      await api.patch(name, { spec: patch }, { preconditions: { uid, resourceVersion } }, signal);
    }
    applied.push({ name, outcome: found === undefined ? "made" : patch === undefined ? "as it was" : "changed" });
  }
  return applied;
}

/** Something that a node holds, or shall hold. */
export interface Held {
  readonly kind: string;
  readonly name: string;
  readonly node: string;
  /** "namespace/name" of a volume's claim. */
  readonly claim: string | undefined;
  readonly isTerminating: boolean;
}

/** Every volume, snapshot and group that the cluster knows of, also those that this version cannot read. */
export async function heldByNodes(server: ApiServer, signal?: AbortSignal): Promise<readonly Held[]> {
  const volumes = await server.objects(THIN_VOLUME).list({}, signal);
  const snapshots = await server.objects(THIN_SNAPSHOT).list({}, signal);
  const groups = await server.objects(THIN_SNAPSHOT_GROUP).list({}, signal);
  return [
    ...volumes.items.map((each) => held(THIN_VOLUME.kind, each, each.spec.claim)),
    ...snapshots.items.map((each) => held(THIN_SNAPSHOT.kind, each)),
    ...groups.items.map((each) => held(THIN_SNAPSHOT_GROUP.kind, each)),
    ...unreadable(THIN_VOLUME.kind, volumes.unreadable),
    ...unreadable(THIN_SNAPSHOT.kind, snapshots.unreadable),
    ...unreadable(THIN_SNAPSHOT_GROUP.kind, groups.unreadable),
  ];
}

interface Placed extends ApiObject {
  readonly spec: { readonly nodeName: string };
}

const held = (kind: string, object: Placed, claim?: { readonly namespace: string; readonly name: string }): Held => ({
  kind,
  name: object.metadata.name,
  node: object.spec.nodeName,
  claim: claim === undefined ? undefined : `${claim.namespace}/${claim.name}`,
  isTerminating: isTerminating(object),
});

const unreadable = (kind: string, names: readonly string[] = []): readonly Held[] =>
  names.map((name) => ({ kind, name, node: "unknown", claim: undefined, isTerminating: false }));

/** How the pools of a cluster are. */
export interface PoolHealth {
  readonly pool: string;
  readonly desiredNodes: number;
  readonly readyNodes: number;
  /** The nodes whose part of it is not well, and why. */
  readonly troubles: readonly { readonly node: string; readonly phase: string; readonly message: string }[];
  readonly isWell: boolean;
}

export async function poolHealth(server: ApiServer, signal?: AbortSignal): Promise<readonly PoolHealth[]> {
  const { items: pools } = await server.objects(THIN_POOL).list({}, signal);
  const { items: onNodes } = await server.objects(NODE_THIN_POOL).list({}, signal);
  return pools.map((pool) => healthOf(pool, onNodes));
}

/** A pool that has not been looked at since it was last changed is not well yet. */
function healthOf({ metadata: { name, generation }, status }: ThinPool, onNodes: readonly NodeThinPool[]): PoolHealth {
  const troubles = onNodes
    .filter(({ spec, status: { phase } }) => spec.poolName === name && phase !== "Ready")
    .map(({ spec: { nodeName: node }, status: { phase, message } }) => ({ node, phase, message }));
  const { desiredNodes, readyNodes, observedGeneration } = status;
  const isWell = observedGeneration === generation && readyNodes >= desiredNodes && troubles.length === 0;
  return { pool: name, desiredNodes, readyNodes, troubles, isWell };
}
