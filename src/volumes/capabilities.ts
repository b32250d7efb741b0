import type { Capability, VolumeRecord } from "../catalog/records.ts";
import { invalid } from "./invalid.ts";
import { accessOf, sameItems } from "./wanted.ts";

/** Whether a volume can be used so. Throws "invalid-argument". */
export function requireCapable(record: VolumeRecord, capability: Capability): void {
  const { type } = record.filesystem;
  if (capability.access !== accessOf(record)) throw invalid(`volume ${record.id} is ${type === undefined ? "a block device" : "a filesystem"}`);
  if (capability.filesystem !== undefined && capability.filesystem !== type)
    throw invalid(`volume ${record.id} holds ${type}, and no ${capability.filesystem}`);
}

export const isReadOnly = ({ mode, mountFlags }: Capability): boolean => mode === "SINGLE_NODE_READER_ONLY" || mountFlags.includes("ro");

/** How two uses of one volume differ, in words; undefined when they are the same. */
export function capabilityDifference(now: Capability, wanted: Capability): string | undefined {
  if (now.mode !== wanted.mode) return `its access mode is ${now.mode}`;
  if (!sameItems(now.mountFlags, wanted.mountFlags)) return `its mount flags are ${JSON.stringify(now.mountFlags.join(","))}`;
  return undefined;
}
