import type { Cache } from "../api/cache.ts";
import type { ObjectsApi } from "../api/objects-api.ts";
import type { Failure } from "../objects/failure.ts";
import type { ApiObject, ObjectCondition } from "../objects/meta.ts";
import type { PHASES } from "../objects/thin-volume.ts";

/** What volumes, snapshots and groups have in common: they are asked for on one node, in one pool, and answered there. */
export interface PlacedObject extends ApiObject {
  readonly spec: { readonly name: string; readonly nodeName: string; readonly poolName: string };
  readonly status: PlacedStatus;
}

export interface PlacedStatus {
  readonly phase: (typeof PHASES)[number];
  readonly poolUUID?: string | undefined;
  readonly observedGeneration?: number | undefined;
  readonly failure?: Failure | undefined;
  readonly conditions: readonly ObjectCondition[];
}

/** One kind's objects on this node: asked live, and as the watch has told. */
export interface Store<Item extends ApiObject> {
  readonly api: ObjectsApi<Item>;
  readonly cache: Cache<Item>;
}
