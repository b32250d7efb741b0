import * as z from "zod";
import type { Kind } from "./kinds.ts";
import { metadata } from "./meta.ts";

/** Kubernetes' own objects, as far as we read them. */

const taint = z.looseObject({ key: z.string(), effect: z.string() });

export const clusterNode = z.object({
  metadata,
  spec: z.object({ unschedulable: z.boolean().optional(), taints: z.array(taint).default([]) }).prefault({}),
});
export type ClusterNode = z.output<typeof clusterNode>;

/** A pod of `dmthin node`. */
export const agentPod = z.object({
  metadata,
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).prefault({}),
});
export type AgentPod = z.output<typeof agentPod>;

export const claim = z.object({ metadata, spec: z.object({ volumeName: z.string().optional() }).prefault({}) });
export type Claim = z.output<typeof claim>;

export const persistentVolume = z.object({
  metadata,
  spec: z.object({
    csi: z.object({ driver: z.string(), volumeHandle: z.string() }).optional(),
    claimRef: z.object({ namespace: z.string().optional(), name: z.string().optional(), uid: z.string().optional() }).optional(),
  }),
});
export type PersistentVolume = z.output<typeof persistentVolume>;

/** Source: coordination.k8s.io/v1, LeaseSpec. */
export const lease = z.object({
  metadata,
  spec: z
    .object({
      holderIdentity: z.string().optional(),
      leaseDurationSeconds: z.int().optional(),
      acquireTime: z.string().optional(),
      renewTime: z.string().optional(),
      leaseTransitions: z.int().default(0),
    })
    .prefault({}),
});
export type Lease = z.output<typeof lease>;

/** Only ever written. */
export const clusterEvent = z.object({ metadata });
export type ClusterEvent = z.output<typeof clusterEvent>;

export const NODE: Kind<ClusterNode> = { apiVersion: "v1", kind: "Node", plural: "nodes", schema: clusterNode };
/** In dmthin's namespace; with the label that the node plugin's pods have. */
export const AGENT_POD: Kind<AgentPod> = { apiVersion: "v1", kind: "Pod", plural: "pods", schema: agentPod };
export const CLAIM: Kind<Claim> = { apiVersion: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims", schema: claim };
export const PERSISTENT_VOLUME: Kind<PersistentVolume> = { apiVersion: "v1", kind: "PersistentVolume", plural: "persistentvolumes", schema: persistentVolume };
export const LEASE: Kind<Lease> = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases", schema: lease };
export const EVENT: Kind<ClusterEvent> = { apiVersion: "events.k8s.io/v1", kind: "Event", plural: "events", schema: clusterEvent };
