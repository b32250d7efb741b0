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
      taints: z.array(z.looseObject({ key: z.string(), effect: z.string() })).optional(),
    })
    .prefault({}),
});
export type ClusterNode = z.output<typeof node>;

const pod = z.object({
  metadata: lean,
  spec: z.object({ nodeName: z.string().optional() }).prefault({}),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() }).prefault({}),
});
export type AgentPod = z.output<typeof pod>;

const persistentVolume = z.object({
  metadata: lean,
  spec: z.object({ csi: z.object({ driver: z.string(), volumeHandle: z.string() }).optional() }).prefault({}),
});
export type PersistentVolume = z.output<typeof persistentVolume>;

const claim = z.object({ metadata: lean });
export type Claim = z.output<typeof claim>;

const core = <Item extends ApiObject>(kind: string, plural: string, schema: z.ZodType<Item>): Kind<Item> => ({ apiVersion: "v1", kind, plural, schema });

export const NODE = core("Node", "nodes", node);
export const POD = core("Pod", "pods", pod);
export const PERSISTENT_VOLUME = core("PersistentVolume", "persistentvolumes", persistentVolume);
export const PERSISTENT_VOLUME_CLAIM = core("PersistentVolumeClaim", "persistentvolumeclaims", claim);
