import * as z from "zod";
import { condition, metadata } from "./meta.ts";

const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]), values: z.array(z.string()).optional() }))
    .optional(),
});
export type LabelSelector = z.output<typeof labelSelector>;

/** What only a cluster knows of a pool; the rest of the spec is config's `poolDocument` without its name, read by config's own code. */
export const clusterPoolSpec = {
  nodeSelector: labelSelector.optional().describe("The nodes that have this pool, by their labels; without it all."),
  deletionPolicy: z
    .enum(["Retain", "Wipe"])
    .default("Retain")
    .describe("When the ThinPool is deleted and holds nothing: leave its disks as they are, or give them back clean."),
};

export const thinPoolStatus = z.object({
  desiredNodes: z.int().default(0).describe("How many nodes the selector matches."),
  readyNodes: z.int().default(0),
  observedGeneration: z.int().optional(),
  conditions: z.array(condition).default([]),
});

/** `spec` is as people wrote it: `describeClusterPool` judges it. */
export const thinPool = z.object({
  metadata,
  spec: z.looseObject(clusterPoolSpec),
  status: thinPoolStatus.prefault({}),
});
export type ThinPool = z.output<typeof thinPool>;
export type ThinPoolStatus = z.output<typeof thinPoolStatus>;
