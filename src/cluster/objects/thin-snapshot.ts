import * as z from "zod";
import { byteCount, quantity } from "./amounts.ts";
import { failure } from "./failure.ts";
import { condition, metadata } from "./meta.ts";
import { PHASES } from "./placed-object.ts";

export const thinSnapshotSpec = z.object({
  name: z.string().describe("The name that CSI was asked for; the object's own is derived from it."),
  sourceVolume: z.string().describe("The ThinVolume. It may go before its snapshot."),
  nodeName: z.string().describe("The node that has both. Never changes."),
  poolName: z.string().describe("The ThinPool. Never changes."),
});

export const thinSnapshotStatus = z.object({
  phase: z.enum(PHASES).default("Pending").describe("Pending: not made yet. Failed: not made, and why stands under failure."),
  sizeBytes: byteCount().optional().describe("The size of a volume restored from it, at least."),
  size: quantity().describe("The same as sizeBytes, for people."),
  poolUUID: z.string().optional().describe("The pool that holds it: another pool of the same name is not it."),
  deviceNumber: z.int().optional().describe("Its thin device's number in the pool."),
  createdAt: z.string().optional().describe("The moment that it shows."),
  observedGeneration: z.int().optional().describe("The generation that this status answers."),
  failure: failure.optional().describe("Why the last thing asked for was not done."),
  conditions: z.array(condition).default([]).describe("How it is, after Kubernetes' conventions."),
});

export const thinSnapshot = z.object({ metadata, spec: thinSnapshotSpec, status: thinSnapshotStatus.prefault({}) });
export type ThinSnapshot = z.output<typeof thinSnapshot>;
export type ThinSnapshotSpec = z.output<typeof thinSnapshotSpec>;
export type ThinSnapshotStatus = z.output<typeof thinSnapshotStatus>;
