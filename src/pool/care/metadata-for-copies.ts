import { DmthinError } from "../../errors.ts";
import { BYTES_PER_METADATA_BLOCK, bytes, metadataBlocksToBytes, type Bytes } from "../../units.ts";
import type { PoolFigures } from "../pool-calls.ts";

/**
 * The most that a mapping takes: 16 bytes in a node of 4 KiB, of which the kernel lets go at less than a third. Nodes above
 * them: one in 84. Source: drivers/md/persistent-data/dm-btree-internal.h, dm-btree-remove.c.
 */
const MAPPINGS_PER_NODE = 84;
const MAPPING_BYTES = (BYTES_PER_METADATA_BLOCK / MAPPINGS_PER_NODE) * (1 + 1 / (MAPPINGS_PER_NODE - 1));
/** The most that counting who shares a chunk takes, once three do: 12 bytes, in nodes alike. Source: dm-space-map-common.c. */
const COUNTS_PER_NODE = 112;
const COUNT_BYTES = (BYTES_PER_METADATA_BLOCK / COUNTS_PER_NODE) * (1 + 1 / (COUNTS_PER_NODE - 1));
/** A volume's own root, and a node on the way that is less full than others. */
const VOLUME_BYTES = 2 * BYTES_PER_METADATA_BLOCK;

export interface Writable {
  readonly volumes: number;
  /** Of all volumes together: what they share is counted once for each. */
  readonly mappedBytes: number;
}

/**
 * How much metadata volumes can still take, whatever they write, until the next copy is made of one of them. A write to a node
 * that is shared copies it once, and then it is the volume's own; new mappings take free chunks. However many snapshots
 * there are: what they hold is counted as used already, and nobody writes to them.
 */
export function metadataForCopies({ volumes, mappedBytes }: Writable, { data, chunkSize }: Pick<PoolFigures, "data" | "chunkSize">): Bytes {
  const mappings = Math.ceil(mappedBytes / chunkSize) + Math.max(data.total - data.used, 0);
  return bytes(Math.ceil(mappings * (MAPPING_BYTES + COUNT_BYTES)) + volumes * VOLUME_BYTES);
}

/** The most that the kernel holds back: a tenth of the metadata, up to this. Source: dm-thin-metadata.c, __set_metadata_reserve. */
const MOST_RESERVED_BYTES = 4096 * BYTES_PER_METADATA_BLOCK;

/**
 * By how many bytes metadata is too small for any copy, even while the pool holds nothing: then each one is refused, as long as
 * the pool is so large and its metadata is no larger. 0: large enough.
 */
export function lacksForAnyCopy(sizes: { readonly dataBytes: number; readonly metadataBytes: number; readonly chunkSize: number }): number {
  const { dataBytes, metadataBytes, chunkSize } = sizes;
  const free = Math.ceil((dataBytes / chunkSize) * (MAPPING_BYTES + COUNT_BYTES)) + VOLUME_BYTES;
  return Math.max(Math.ceil(Math.min(free + MOST_RESERVED_BYTES, free / 0.9)) - metadataBytes, 0);
}

/** By the kernel's count, which has its own reserve among what is used. Source: dm-thin-metadata.c, dm_pool_get_free_metadata_block_count. */
export const freeMetadata = ({ metadata: { used, total } }: Pick<PoolFigures, "metadata">): Bytes =>
  metadataBlocksToBytes(Math.max(total - used, 0) as typeof total);

/** Throws "pool-low". `room`: how much larger metadata can still be made. */
export function requireMetadataForCopies(pool: string, figures: PoolFigures, writable: Writable, room: Bytes): void {
  const minimumBytes = metadataForCopies(writable, figures);
  const freeBytes = bytes(freeMetadata(figures) + room);
  if (freeBytes < minimumBytes) throw new DmthinError({ code: "pool-low", pool, resource: "metadata", freeBytes, minimumBytes, forCopies: true });
}
