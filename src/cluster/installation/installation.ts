import { isError } from "../../errors.ts";
import type { ApiServer, Listing } from "../api/objects-api.ts";
import { THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME, type Kind } from "../objects/kinds.ts";
import { isTerminating, type ApiObject } from "../objects/meta.ts";
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
  const volumes = await listed(server, THIN_VOLUME, signal);
  const snapshots = await listed(server, THIN_SNAPSHOT, signal);
  const groups = await listed(server, THIN_SNAPSHOT_GROUP, signal);
  return [
    ...volumes.items.map((each) => held(THIN_VOLUME.kind, each, each.spec.claim)),
    ...snapshots.items.map((each) => held(THIN_SNAPSHOT.kind, each)),
    ...groups.items.map((each) => held(THIN_SNAPSHOT_GROUP.kind, each)),
    ...unreadable(THIN_VOLUME.kind, volumes.unreadable),
    ...unreadable(THIN_SNAPSHOT.kind, snapshots.unreadable),
    ...unreadable(THIN_SNAPSHOT_GROUP.kind, groups.unreadable),
  ];
}

/** A kind that the cluster does not know any more has no objects: they went with its definition. */
async function listed<Item extends ApiObject>(server: ApiServer, kind: Kind<Item>, signal?: AbortSignal): Promise<Pick<Listing<Item>, "items" | "unreadable">> {
  try {
    return await server.objects(kind).list({}, signal);
  } catch (error) {
    if (isError(error, "api-refused") && error.facts.status === 404) return { items: [] };
    throw error;
  }
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

/** How a ThinPool is, as the controller last told. */
export interface PoolHealth {
  readonly pool: string;
  readonly isWell: boolean;
  /** In words, with the nodes that have trouble. */
  readonly message: string;
}

export async function poolHealth(server: ApiServer, signal?: AbortSignal): Promise<readonly PoolHealth[]> {
  const { items } = await server.objects(THIN_POOL).list({}, signal);
  return items.map(healthOf);
}

/** What was told of a pool before it was last changed says nothing of how it is now. */
function healthOf({ metadata: { name, generation }, status: { conditions, observedGeneration } }: ThinPool): PoolHealth {
  const ready = observedGeneration === generation ? conditions.find(({ type }) => type === "Ready") : undefined;
  if (ready === undefined) return { pool: name, isWell: false, message: "the controller has not looked at it yet" };
  const deleting = conditions.find(({ type }) => type === "Deleting");
  const message = deleting === undefined ? ready.message : `is being deleted, and ${deleting.message}; ${ready.message}`;
  return { pool: name, isWell: ready.status === "True", message };
}
