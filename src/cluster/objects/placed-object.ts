import type { Failure } from "./failure.ts";
import type { ApiObject, ObjectCondition } from "./meta.ts";

export const PHASES = ["Pending", "Ready", "Failed"] as const;

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
