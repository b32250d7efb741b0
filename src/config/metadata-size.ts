import { BYTES_PER_METADATA_BLOCK, MiB, bytes, roundUp, type Bytes } from "../units.ts";

/** Mappings that a block of the mapping tree holds. Source: thin-provisioning-tools, thin_metadata_size. */
const MAPPINGS_PER_BLOCK = 126;

/** Source: THIN_METADATA_MAX_SECTORS in drivers/md/dm-thin-metadata.h: 255 bitmaps of 2^14 - 64 blocks. */
export const MAXIMUM_METADATA_BYTES = bytes(255 * (2 ** 14 - 64) * BYTES_PER_METADATA_BLOCK);

const metadataBytes = (dataSize: Bytes, chunkSize: Bytes, thins: number): number =>
  (1 + Math.ceil(dataSize / chunkSize / MAPPINGS_PER_BLOCK) + thins) * BYTES_PER_METADATA_BLOCK;

/** What mapping every chunk of the data once takes: below this the data can never be used up. */
export const leastMetadata = (dataSize: Bytes, chunkSize: Bytes): Bytes => roundUp(bytes(metadataBytes(dataSize, chunkSize, 1)), MiB);

/**
 * What a loop pool gets when nobody says: four times the formula for a thousand thin devices, at least 16 MiB.
 * The formula counts each chunk as mapped once, in full blocks. Snapshots that part from their origin map chunks again,
 * in blocks that are half full (48 bytes a mapping were measured after sequential copy-on-write, where the formula has
 * 33), and the kernel holds a tenth back, up to 16 MiB. Docker's 2 GiB would be fully allocated here, for 100 GiB that
 * are sparse: 219 MiB serve those.
 */
export function defaultMetadata(dataSize: Bytes, chunkSize: Bytes): Bytes {
  const wanted = Math.max(4 * metadataBytes(dataSize, chunkSize, 1000), 16 * MiB);
  return roundUp(bytes(Math.min(wanted, MAXIMUM_METADATA_BYTES - MiB)), MiB);
}
