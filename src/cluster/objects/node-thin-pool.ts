import * as z from "zod";
import { createHash } from "node:crypto";
import { byteCount, quantity } from "./amounts.ts";
import { condition, metadata } from "./meta.ts";

/** Made and written by the node alone; the controller reads placement and capacity from it. */
export const nodeThinPoolSpec = z.object({
  poolName: z.string(),
  nodeName: z.string(),
});

const space = z.object({
  totalBytes: byteCount(),
  usedBytes: byteCount(),
  total: quantity().describe("The same as totalBytes, for people."),
  used: quantity().describe("The same as usedBytes, for people."),
});

export const nodeThinPoolStatus = z.object({
  phase: z
    .enum(["Pending", "Ready", "Refused", "Removing"])
    .default("Pending")
    .describe("Pending: being set up or recovered. Refused: a person has to look. Removing: its ThinPool is gone, and it still holds something."),
  message: z.string().default("").describe("What goes on, or what is wrong and what to do."),
  state: z.string().optional().describe("The kernel's: rw, out_of_data_space, ro, needs_check, Fail, Error."),
  poolUUID: z.string().optional().describe("Written into the pool itself: the same disks have the same."),
  backing: z.string().optional().describe("What it lies on: loop, devices, directLvm or existing."),
  chunkSizeBytes: byteCount().optional().describe("The unit of allocation and of sharing."),
  data: space.optional().describe("What volumes and snapshots write to."),
  metadata: space.optional().describe("Where the kernel keeps what lies where."),
  promisedBytes: byteCount().optional().describe("The sizes of its volumes together."),
  promised: quantity().describe("The same as promisedBytes, for people."),
  availableBytes: byteCount().optional().describe("What a new volume may ask for: as capacity reports it, rounded down to the coarser of 1 GiB and 1 %."),
  available: quantity().describe("The same as availableBytes, for people."),
  minimumVolumeBytes: byteCount().optional().describe("The smallest volume."),
  extensionHeadroomBytes: byteCount().optional().describe("How much larger its data can still be made."),
  volumes: z.int().default(0).describe("How many it holds."),
  snapshots: z.int().default(0).describe("How many it holds."),
  orphans: z.int().default(0).describe("Thin devices that nobody knows: dmthin pool orphans."),
  unclaimed: z.array(z.string()).default([]).describe("Volumes and snapshots in the pool that the cluster has no object of, the first hundred."),
  excludedDisks: z
    .array(z.object({ path: z.string(), reason: z.string() }))
    .default([])
    .describe("Disks that its pattern finds, and that it does not take."),
  driverVersion: z.string().optional().describe("Of the driver on this node."),
  kernelVersion: z.string().optional().describe("Of this node."),
  observedGeneration: z.int().optional().describe("The generation of the ThinPool that this node runs with."),
  conditions: z.array(condition).default([]).describe("How it is, after Kubernetes' conventions."),
});

export const nodeThinPool = z.object({ metadata, spec: nodeThinPoolSpec, status: nodeThinPoolStatus.prefault({}) });
export type NodeThinPool = z.output<typeof nodeThinPool>;
export type NodeThinPoolSpec = z.output<typeof nodeThinPoolSpec>;
export type NodeThinPoolStatus = z.output<typeof nodeThinPoolStatus>;

const MAXIMUM_NAME = 253;

/** `pool.node`; pool names have no dot. A node's name that leaves no room for the pool's is shortened by its hash. */
export function nodeThinPoolName(poolName: string, nodeName: string): string {
  const name = `${poolName}.${nodeName}`;
  if (name.length <= MAXIMUM_NAME) return name;
  return `${name.slice(0, MAXIMUM_NAME - 17)}-${createHash("sha256").update(nodeName).digest("hex").slice(0, 16)}`;
}
