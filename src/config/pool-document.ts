import * as z from "zod";
import { FILESYSTEM_TYPES } from "../filesystem/filesystems.ts";
import { GiB, KiB, MiB, TiB, bytes, formatBytes, type Bytes } from "../units.ts";
import { MAXIMUM_METADATA_BYTES, defaultMetadata } from "./metadata-size.ts";
import { absolutePath } from "./paths.ts";
import type { Backing, PoolDescription } from "./pool-description.ts";
import { percentage, size } from "./quantities.ts";
import { quote } from "./wording.ts";

/**
 * A pool as people write it: the standalone file's `pools[]`, and the `spec` of a ThinPool. What is left out that
 * depends on something else (metadataSize, discardOnDelete) is filled in by `describePool`.
 */

/** The kernel takes 64 KiB to 1 GiB in steps of 64 KiB. Source: DATA_DEV_BLOCK_SIZE_MIN_SECTORS in drivers/md/dm-thin.c. */
const CHUNK_STEP = bytes(64 * KiB);

/**
 * The name stands in the kernel's device names (`dmthin-<pool>-snap-<26 characters>`: 79 of at most 127 with 40 here),
 * in directories, and in Kubernetes names and labels, which end at 63 and have a node's name beside it.
 */
const POOL_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

export const poolName = () =>
  z.string().regex(POOL_NAME, {
    error: ({ input }) =>
      `${quote(input)} is not a pool name: lower-case letters, digits and "-" inside, at most 40 characters, since the kernel's devices and Kubernetes objects are named after it`,
  });

const loop = z.strictObject({
  directory: absolutePath().describe("Where the two files are. Nobody else's: one directory a pool."),
  dataSize: size({ least: bytes(64 * MiB), most: bytes(256 * TiB) })
    .prefault("100Gi")
    .describe("Size of the data file. Sparse: it takes room as it is written to."),
  metadataSize: size({ least: bytes(2 * MiB), most: MAXIMUM_METADATA_BYTES })
    .optional()
    .describe("Size of the metadata file, fully allocated. By default from dataSize and chunkSize: 219 MiB for 100 GiB in chunks of 64 KiB."),
});

const devices = z.strictObject({
  data: absolutePath().describe("The block device for data, best by a lasting name: /dev/disk/by-id/…"),
  metadata: absolutePath().describe("The block device for metadata, on a fast and safe disk."),
});

const backing = z.strictObject({
  loop: loop.optional().describe("Two files on loop devices, for trying out."),
  devices: devices.optional().describe("A data and a metadata block device."),
});

const BACKINGS = Object.keys(backing.shape);

const minimumFreeEach = z.strictObject({
  data: percentage().prefault("10%").describe("Of the data space."),
  metadata: percentage().prefault("10%").describe("Of the metadata space."),
});

const spec = {
  backing: backing
    .check((payload) => {
      const given = BACKINGS.filter((key) => payload.value[key as keyof typeof payload.value] !== undefined);
      const message = given.length === 0 ? `one of ${BACKINGS.join(", ")} is needed` : `${given.join(" and ")} exclude each other: a pool has one backing`;
      if (given.length > 1 || (given.length === 0 && payload.issues.length === 0)) payload.issues.push({ code: "custom", message, input: payload.value });
    })
    .describe("What the pool lies on: exactly one of the keys below."),
  chunkSize: size({ least: CHUNK_STEP, most: GiB })
    .refine((value) => value % CHUNK_STEP === 0, { error: ({ input }) => `${formatBytes(input as number)} is not a multiple of 64 KiB` })
    .prefault("64Ki")
    .describe("The unit of allocation and of sharing, a multiple of 64 KiB. Fixed for the pool's life."),
  zeroNewBlocks: z.boolean().default(true).describe("Zero a chunk before a volume gets it, so that nobody reads what another volume left."),
  minimumFree: z
    .union([percentage().transform((percent) => ({ data: percent, metadata: percent })), minimumFreeEach])
    .prefault("10%")
    .describe("New volumes and snapshots need this much of the pool free: one percentage, or one each for data and metadata."),
  overcommitRatio: z
    .number()
    .min(1, { error: ({ input }) => `${input as number} is too small: at least 1, which promises no more than there is` })
    .max(10_000)
    .default(10)
    .describe("How many times the pool's size may be promised to volumes."),
  defaultVolumeSize: size({ least: bytes(16 * MiB), most: bytes(256 * TiB) })
    .prefault("10Gi")
    .describe("The size of a volume when none is asked for."),
  filesystem: z.enum(FILESYSTEM_TYPES).default("ext4").describe("The filesystem of a volume when none is asked for."),
  discardOnDelete: z
    .boolean()
    .optional()
    .describe("Give a volume's blocks back to what lies below the pool before it is deleted. By default true on loop, false elsewhere."),
};

export const poolDocument = z.strictObject({
  name: poolName().describe('The pool\'s name, at most 40 characters: lower-case letters, digits and "-".'),
  default: z.boolean().optional().describe("The pool of volumes that name none. At most one; an only pool is it unless it says false."),
  ...spec,
});

export type PoolDocument = z.output<typeof poolDocument>;
type BackingDocument = PoolDocument["backing"];

function backingOf({ loop: files, devices: disks }: BackingDocument, chunkSize: Bytes): Backing {
  if (files !== undefined) {
    const { directory, dataSize, metadataSize = defaultMetadata(dataSize, chunkSize) } = files;
    return { kind: "loop", directory, dataSize, metadataSize };
  }
  if (disks !== undefined) return { kind: "devices", ...disks };
  throw new TypeError("a pool document without a backing passed its check");
}

/** Fills in what depends on something else. `only`: it is the only pool. */
export function describePool(pool: PoolDocument, only: boolean): PoolDescription {
  const { default: isDefault = only, minimumFree, discardOnDelete = pool.backing.loop !== undefined, ...rest } = pool;
  return {
    ...rest,
    isDefault,
    discardOnDelete,
    backing: backingOf(pool.backing, pool.chunkSize),
    minimumFree: { dataPercent: minimumFree.data, metadataPercent: minimumFree.metadata },
  };
}
