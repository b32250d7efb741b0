import * as z from "zod";
import type { Kind } from "./kinds.ts";
import { metadata, type ApiObject } from "./meta.ts";

/** Without what nobody here reads, such as managedFields: a cluster may have thousands of them in memory. */
const lean = z.object(metadata.shape);

const node = z.object({
  metadata: lean,
  spec: z
    .object({
      unschedulable: z.boolean().optional(),
      taints: z.array(z.looseObject({ key: z.string(), effect: z.string() })).default([]),
    })
    .prefault({}),
});
export type ClusterNode = z.output<typeof node>;

/** Of `dmthin node`. */
const pod = z.object({
  metadata: lean,
  spec: z.object({ nodeName: z.string().optional() }).prefault({}),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).prefault({}),
});
export type AgentPod = z.output<typeof pod>;

const persistentVolume = z.object({
  metadata: lean,
  spec: z.object({ csi: z.object({ driver: z.string(), volumeHandle: z.string() }).optional() }).prefault({}),
});
export type PersistentVolume = z.output<typeof persistentVolume>;

const claim = z.object({ metadata: lean });
export type Claim = z.output<typeof claim>;

/** Source: coordination.k8s.io/v1, LeaseSpec. */
const lease = z.object({
  metadata: lean,
  spec: z
    .object({
      holderIdentity: z.string().optional(),
      leaseDurationSeconds: z.int().optional(),
      leaseTransitions: z.int().default(0),
    })
    .prefault({}),
});
export type Lease = z.output<typeof lease>;

/** Only ever written. */
const event = z.object({ metadata: lean });
export type ClusterEvent = z.output<typeof event>;

const core = <Item extends ApiObject>(kind: string, plural: string, schema: z.ZodType<Item>, apiVersion = "v1"): Kind<Item> => ({
  apiVersion,
  kind,
  plural,
  schema,
});

export const NODE = core("Node", "nodes", node);
export const AGENT_POD = core("Pod", "pods", pod);
export const PERSISTENT_VOLUME = core("PersistentVolume", "persistentvolumes", persistentVolume);
export const CLAIM = core("PersistentVolumeClaim", "persistentvolumeclaims", claim);
export const LEASE = core("Lease", "leases", lease, "coordination.k8s.io/v1");
export const EVENT = core("Event", "events", event, "events.k8s.io/v1");
