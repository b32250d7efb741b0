import type { ApiObject } from "../objects/meta.ts";

/** Of the cluster's own objects, what the controller reads. */
export interface ClusterNode extends ApiObject {
  readonly spec: { readonly unschedulable?: boolean | undefined; readonly taints?: readonly Taint[] | undefined };
}

export type Taint = { readonly key: string; readonly effect: string } & Readonly<Record<string, unknown>>;

export interface AgentPod extends ApiObject {
  readonly spec: { readonly nodeName?: string | undefined };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined };
}

export interface PersistentVolume extends ApiObject {
  readonly spec: { readonly csi?: { readonly driver: string; readonly volumeHandle: string } | undefined };
}
