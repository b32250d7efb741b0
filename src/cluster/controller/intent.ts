import type { Failure } from "../objects/failure.ts";
import type { ApiObject } from "../objects/meta.ts";
import type { PHASES } from "../objects/thin-volume.ts";

/** What is asked of a node, and what it has answered. */
export interface Intent extends ApiObject {
  readonly spec: { readonly nodeName: string; readonly poolName: string };
  readonly status: { readonly phase: (typeof PHASES)[number]; readonly failure?: Failure | undefined };
}
