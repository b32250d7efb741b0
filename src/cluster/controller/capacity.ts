import type { FilesystemType } from "../../filesystem/filesystems.ts";
import { TYPES } from "../../filesystem/types.ts";
import { bytes, KiB, type Bytes } from "../../units.ts";
import { minimumVolumeBytes } from "../../volumes/sizes.ts";
import type { Capacity } from "../../volumes/volumes.ts";
import { isTerminating } from "../objects/meta.ts";
import { candidatesOf } from "./candidates.ts";
import type { ControllerParts } from "./parts.ts";
import { choosePool } from "./pools.ts";

/** Of pools that have not told theirs. */
const USUAL_CHUNK = bytes(64 * KiB);

/** Before the first ThinPool is made, which is no mistake: pods wait for it. */
const NONE: Capacity = { availableBytes: bytes(0), minimumVolumeBytes: bytes(USUAL_CHUNK), maximumVolumeBytes: bytes(0) };

export interface CapacityWanted {
  readonly pool: string | undefined;
  /** As topologies call it; undefined: anywhere. */
  readonly node: string | undefined;
  readonly filesystem: FilesystemType | undefined;
}

/** From memory, as the nodes have told it, rounded down by them. Nothing where nothing could be made. Throws "pool-missing". */
export function capacityOf(parts: ControllerParts, { pool, node, filesystem }: CapacityWanted): Capacity {
  if (parts.pools.cache.items.size === 0) return NONE;
  const chosen = choosePool(parts, pool);
  const poolName = chosen.metadata.name;
  const candidates = isTerminating(chosen) ? [] : candidatesOf(parts, poolName).filter(({ topology }) => node === undefined || topology === node);
  const available = candidates.map(({ availableBytes }) => availableBytes);
  const nodes = new Set(candidates.map((candidate) => candidate.node));
  return {
    availableBytes: bytes(
      Math.min(
        available.reduce((sum, each) => sum + each, 0),
        Number.MAX_SAFE_INTEGER,
      ),
    ),
    minimumVolumeBytes: minimumVolumeBytes(chunkSizeOf(parts, poolName, nodes), filesystem === undefined ? undefined : TYPES[filesystem].minimumBytes),
    maximumVolumeBytes: bytes(Math.max(0, ...available)),
  };
}

function chunkSizeOf({ nodePools }: ControllerParts, poolName: string, nodes: ReadonlySet<string>): Bytes {
  const pools = [...nodePools.cache.items.values()].filter(({ spec }) => spec.poolName === poolName && nodes.has(spec.nodeName));
  const sizes = pools.map(({ status }) => status.chunkSizeBytes ?? 0).filter((size) => size > 0);
  return sizes.length === 0 ? USUAL_CHUNK : bytes(Math.max(...sizes));
}
