import * as z from "zod";
import { labelSelector } from "./label-selector.ts";
import { condition, metadata } from "./meta.ts";

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
