import * as z from "zod";
import type { Origin } from "../../catalog/records.ts";
import { FILESYSTEM_TYPES } from "../../filesystem/filesystems.ts";
import { byteCount, quantity } from "./amounts.ts";
import { failure } from "./failure.ts";
import { condition, metadata } from "./meta.ts";
import { PHASES } from "./placed-object.ts";

const capability = z.object({
  access: z.enum(["mount", "block"]),
  filesystem: z.enum(FILESYSTEM_TYPES).optional().describe("The filesystem that it asks for."),
  mountFlags: z.array(z.string()).default([]).describe("Options for mount."),
  mode: z.enum(["SINGLE_NODE_WRITER", "SINGLE_NODE_READER_ONLY", "SINGLE_NODE_SINGLE_WRITER", "SINGLE_NODE_MULTI_WRITER"]),
});

const mutableParameters = z.object({
  discardOnDelete: z.boolean().optional().describe("Give the blocks back to the disk before the volume is deleted."),
  xfsNospaceMaxRetries: z
    .union([z.int(), z.literal("auto")])
    .optional()
    .describe("How often xfs repeats a write that found the pool full; -1 for ever."),
});

/** What the controller asks for. */
export const thinVolumeSpec = z.object({
  name: z.string().describe("The name that CSI was asked for; the object's own is derived from it."),
  nodeName: z.string().describe("The node whose pool has the volume. Never changes."),
  poolName: z.string().describe("The ThinPool. Never changes."),
  requiredBytes: byteCount().describe("At least this much; 0: the pool's default. Larger later: the volume is expanded."),
  limitBytes: byteCount().optional().describe("At most this much."),
  source: z
    .object({ kind: z.enum(["snapshot", "volume"]), id: z.string() })
    .optional()
    .describe("What the volume is a copy of: a ThinSnapshot, a member of a ThinSnapshotGroup, or a ThinVolume. Never changes."),
  capabilities: z.array(capability).describe("How it may be used."),
  filesystem: z.enum(FILESYSTEM_TYPES).optional().describe("Its filesystem; by default the pool's. None for block volumes."),
  mkfsOptions: z.array(z.string()).default([]).describe("Arguments for mkfs."),
  parameters: mutableParameters.default({}).describe("What may change while it lives, from its class or VolumeAttributesClass."),
  claim: z
    .object({ namespace: z.string(), name: z.string(), uid: z.string().optional().describe("Another claim of that name is not it.") })
    .optional()
    .describe("The claim that it was made for."),
});

/** What the node says. */
export const thinVolumeStatus = z.object({
  phase: z.enum(PHASES).default("Pending").describe("Pending: not made yet. Failed: not made, and why stands under failure."),
  sizeBytes: byteCount().optional().describe("The device's size."),
  size: quantity().describe("The same as sizeBytes, for people."),
  poolUUID: z.string().optional().describe("The pool that holds it: another pool of the same name is not it."),
  deviceNumber: z.int().optional().describe("Its thin device's number in the pool."),
  createdAt: z.string().optional().describe("When it was made."),
  filesystem: z.enum(FILESYSTEM_TYPES).optional().describe("Its filesystem; none for block volumes."),
  parameters: mutableParameters.default({}).describe("As they are in effect."),
  observedGeneration: z.int().optional().describe("The generation that this status answers."),
  failure: failure.optional().describe("Why the last thing asked for was not done."),
  conditions: z.array(condition).default([]).describe("How it is, after Kubernetes' conventions."),
});

export const thinVolume = z.object({ metadata, spec: thinVolumeSpec, status: thinVolumeStatus.prefault({}) });
export type ThinVolume = z.output<typeof thinVolume>;
export type ThinVolumeSpec = z.output<typeof thinVolumeSpec>;
export type ThinVolumeStatus = z.output<typeof thinVolumeStatus>;

export const originOf = ({ source }: Pick<ThinVolumeSpec, "source">): Origin => source ?? { kind: "blank" };
