import * as z from "zod";
import { byteCount } from "./amounts.ts";
import { failure } from "./failure.ts";
import { condition, metadata } from "./meta.ts";
import { PHASES } from "./placed-object.ts";

export const thinSnapshotGroupSpec = z.object({
  name: z.string().describe("The name that CSI was asked for; the object's own is derived from it."),
  sourceVolumes: z.array(z.string()).describe("The ThinVolumes, all on one node and in one pool. Never changes."),
  nodeName: z.string().describe("The node that has them. Never changes."),
  poolName: z.string().describe("The ThinPool. Never changes."),
});

/** Members have no object of their own: they come and go with their group. */
const member = z.object({
  id: z.string(),
  sourceVolume: z.string(),
  sizeBytes: byteCount(),
  deviceNumber: z.int(),
});

export const thinSnapshotGroupStatus = z.object({
  phase: z.enum(PHASES).default("Pending").describe("Pending: not made yet. Failed: not made, and why stands under failure."),
  poolUUID: z.string().optional().describe("The pool that holds it: another pool of the same name is not it."),
  createdAt: z.string().optional().describe("The one moment that all of them show."),
  snapshots: z.array(member).default([]).describe("In the order of sourceVolumes."),
  observedGeneration: z.int().optional().describe("The generation that this status answers."),
  failure: failure.optional().describe("Why the last thing asked for was not done."),
  conditions: z.array(condition).default([]).describe("How it is, after Kubernetes' conventions."),
});

export const thinSnapshotGroup = z.object({ metadata, spec: thinSnapshotGroupSpec, status: thinSnapshotGroupStatus.prefault({}) });
export type ThinSnapshotGroup = z.output<typeof thinSnapshotGroup>;
export type ThinSnapshotGroupSpec = z.output<typeof thinSnapshotGroupSpec>;
export type ThinSnapshotGroupStatus = z.output<typeof thinSnapshotGroupStatus>;
