import type { ApiObject } from "../objects/meta.ts";
import type { Cache } from "./cache.ts";
import type { ObjectsApi } from "./objects-api.ts";

/** One kind's objects: asked live, and as the watch has told. */
export interface Store<Item extends ApiObject> {
  readonly api: ObjectsApi<Item>;
  readonly cache: Cache<Item>;
}
