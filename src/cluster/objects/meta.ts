import * as z from "zod";
import { OBJECT_NAME } from "../../config/object-name.ts";

export const GROUP = "dmthin.io";
export const VERSION = "v1alpha1";
/**
 * The node's finalizer is the acceptance: the node adds it before its first kernel call, and removes it when nothing is
 * left there. What has none certainly does not exist: it can be withdrawn without asking a node, which may be gone for good.
 */
export const NODE_FINALIZER = "dmthin.io/node";
/** The controller's own, on a ThinPool: it waits until no node has the pool any more. */
export const POOL_FINALIZER = "dmthin.io/pool";

/** What the API server keeps of every object, as far as we read it. */
export const metadata = z.looseObject({
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().default(1),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
export type Metadata = z.output<typeof metadata>;

/** Any object of the API: what caches and requests need to know of it. */
export interface ApiObject {
  readonly metadata: Metadata;
}

/** Whether an object can be called so: the rule holds for all kinds that we use. */
export const isObjectName = (text: string): boolean => OBJECT_NAME.test(text);

/** A condition, after the API conventions. Source: metav1.Condition. */
export const condition = z.object({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  /** One word in CamelCase. */
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional().describe("The generation that it was found at."),
});
export type ObjectCondition = z.output<typeof condition>;

export const isAccepted = ({ metadata: { finalizers } }: ApiObject): boolean => finalizers.includes(NODE_FINALIZER);
export const isTerminating = ({ metadata: { deletionTimestamp } }: ApiObject): boolean => deletionTimestamp !== undefined;
