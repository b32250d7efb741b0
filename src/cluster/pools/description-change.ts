import type { Backing, PoolDescription } from "../../config/pool-description.ts";
import { formatBytes } from "../../units.ts";

/**
 * What a new description says otherwise than the pool was made, in words; none: it can be followed. The API server holds a
 * ThinPool to the same, but not one that was deleted and made anew under the name while this node was away.
 */
export function changeProblems(before: PoolDescription, after: PoolDescription): readonly string[] {
  return [
    ...backingProblems(before.backing, after.backing),
    ...(after.backing.kind === "existing" ? [] : fixed("chunkSize", formatBytes(before.chunkSize), formatBytes(after.chunkSize))),
    ...fixed("zeroNewBlocks", before.zeroNewBlocks, after.zeroNewBlocks),
  ];
}

const fixed = (place: string, was: string | number | boolean, is: string | number | boolean): readonly string[] =>
  was === is ? [] : [`spec.${place} is ${is}, and the pool was made with ${was}`];

function backingProblems(before: Backing, after: Backing): readonly string[] {
  if (before.kind === "loop" && after.kind === "loop") {
    return [
      ...fixed("backing.loop.directory", before.directory, after.directory),
      ...onlyGrows("backing.loop.dataSize", before.dataSize, after.dataSize),
      ...onlyGrows("backing.loop.metadataSize", before.metadataSize, after.metadataSize),
    ];
  }
  if (before.kind === "devices" && after.kind === "devices")
    return [...fixed("backing.devices.data", before.data, after.data), ...fixed("backing.devices.metadata", before.metadata, after.metadata)];
  if (before.kind === "directLvm" && after.kind === "directLvm") {
    return [
      ...fixed("backing.directLvm.volumeGroup", before.volumeGroup, after.volumeGroup),
      ...onlyAdded("backing.directLvm.devices", before.devices, after.devices),
      ...onlyAdded("backing.directLvm.metadataDevices", before.metadataDevices, after.metadataDevices),
    ];
  }
  if (before.kind === "existing" && after.kind === "existing") return fixed("backing.existing.pool", before.pool, after.pool);
  return fixed("backing", before.kind, after.kind);
}

const onlyGrows = (place: string, was: number, is: number): readonly string[] =>
  is >= was ? [] : [`spec.${place} is ${formatBytes(is)}, and a pool of ${formatBytes(was)} is never made smaller`];

const onlyAdded = (place: string, was: readonly string[], is: readonly string[]): readonly string[] => {
  const gone = was.filter((path) => !is.includes(path));
  return gone.length === 0 ? [] : [`spec.${place} has no more ${gone.join(", ")}, and disks are only added`];
};

/** Disks that are named, not found by a pattern: those are added to a pool that lacks them. */
export function namedDisks({ backing }: PoolDescription): readonly string[] {
  if (backing.kind !== "directLvm") return [];
  return [...backing.devices, ...backing.metadataDevices].filter((path) => !/[*?]/.test(path));
}
