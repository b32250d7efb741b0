import * as z from "zod";
import { condition, metadata } from "./meta.ts";

/** Source: metav1.LabelSelector. */
const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional().describe("Labels that a node must have, with these values."),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().describe("A label."),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("What is asked of it."),
        values: z.array(z.string()).optional().describe("For In and NotIn."),
      }),
    )
    .optional()
    .describe("What else must hold of its labels."),
});
export type LabelSelector = z.output<typeof labelSelector>;

/** What only a cluster knows of a pool; the rest of the spec is config's `poolDocument` without its name, read by config's own code. */
export const clusterPoolSpec = {
  nodeSelector: labelSelector.optional().describe("The nodes that have this pool, by their labels; without it all."),
  deletionPolicy: z
    .enum(["Retain", "Wipe"])
    .default("Retain")
    .describe("When the ThinPool is deleted, or selects a node no more, and holds nothing there: leave its disks as they are, or give them back clean."),
};

export const thinPoolStatus = z.object({
  desiredNodes: z.int().default(0).describe("How many nodes the selector matches."),
  readyNodes: z.int().default(0).describe("On how many of them it serves."),
  observedGeneration: z.int().optional().describe("The generation that this status answers."),
  conditions: z.array(condition).default([]).describe("How it is, after Kubernetes' conventions."),
});

/** `spec` is as people wrote it: `describeClusterPool` judges it. */
export const thinPool = z.object({
  metadata,
  spec: z.looseObject(clusterPoolSpec),
  status: thinPoolStatus.prefault({}),
});
export type ThinPool = z.output<typeof thinPool>;
export type ThinPoolStatus = z.output<typeof thinPoolStatus>;
