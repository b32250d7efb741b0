import * as z from "zod";
import { FILESYSTEM_TYPES } from "../filesystem/filesystems.ts";
import { GiB, KiB, MiB, TiB, bytes, formatBytes, type Bytes } from "../units.ts";
import { MAXIMUM_METADATA_BYTES, defaultMetadata } from "./metadata-size.ts";
import { defaultVolumeGroup } from "./claims.ts";
import { absolutePath, devicePattern } from "./paths.ts";
import { WHEN_FULL, type Backing, type PoolDescription } from "./pool-description.ts";
import { duration, percentage, size } from "./quantities.ts";
import { quote } from "./wording.ts";

/**
 * A pool as people write it: the standalone file's `pools[]`, and the `spec` of a ThinPool. What is left out that
 * depends on something else (metadataSize, discardOnDelete) is filled in by `describePool`.
 */

/** The kernel takes 64 KiB to 1 GiB in steps of 64 KiB. Source: DATA_DEV_BLOCK_SIZE_MIN_SECTORS in drivers/md/dm-thin.c. */
const CHUNK_STEP = bytes(64 * KiB);

/**
 * Docker had 512 KiB on direct-lvm, where nothing was zeroed. Measured here (docs/pools.md): a first small write to a
 * chunk, and each to one that a snapshot shares, costs the whole chunk, and metadata is cheap.
 */
const DEFAULT_CHUNK = bytes(64 * KiB);

/** As it is written. */
export const DEFAULT_VOLUME_SIZE = "10Gi";

/**
 * The name stands in the kernel's device names (`dmthin-<pool>-snap-<26 characters>`: 79 of at most 127 with 40 here),
 * in directories, and in Kubernetes names and labels, which end at 63 and have a node's name beside it.
 */
const POOL_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

const poolName = () =>
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
  maximumDataSize: size({ least: bytes(64 * MiB), most: bytes(256 * TiB) })
    .optional()
    .describe("How far the data file may grow by itself when the pool fills. By default it keeps dataSize."),
  hostReserve: size({ least: bytes(0), most: bytes(256 * TiB) })
    .prefault("1Gi")
    .describe("Kept free on the filesystem below the files: with less there are no new volumes, and the data file does not grow."),
});

const devices = z.strictObject({
  data: absolutePath().describe("The block device for data, best by a lasting name: /dev/disk/by-id/…"),
  metadata: absolutePath().describe("The block device for metadata, on a fast and safe disk."),
});

/** A name as LVM takes it, no longer than device names allow beside the volumes' own. Source: lvm(8), "Valid names". */
const VOLUME_GROUP = /^(?!\.{1,2}$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,62}$/;

const directLvm = z.strictObject({
  devices: z
    .array(devicePattern())
    .min(1, { error: "at least one disk is needed" })
    .describe("Whole disks, best by lasting names; * and ? are allowed in the last part: /dev/disk/by-id/nvme-*."),
  metadataDevices: z.array(devicePattern()).default([]).describe("Other disks for the catalogue and the metadata, fast and safe ones. By default the same."),
  volumeGroup: z
    .string()
    .regex(VOLUME_GROUP, { error: ({ input }) => `${quote(input)} is not a name for a volume group: letters, digits, "+", "_", "." and "-" inside` })
    .optional()
    .describe("The volume group that is made of them. By default dmthin- and the pool's name."),
  thinpPercent: percentage({ least: 1, most: 99 }).prefault("95%").describe("At most this much of the volume group for data."),
  thinpMetaPercent: percentage({ least: 0.1, most: 49 }).prefault("1%").describe("This much of the volume group for metadata, and as much again as its spare."),
  force: z
    .boolean()
    .default(false)
    .describe("Overwrite a filesystem or partition table on a disk that nobody uses. Never a disk in use, or another volume group's."),
});

/** A logical volume, or what device-mapper's tools take for a name. Sources: lvm(8), "Valid names"; DM_CHAR_WHITELIST in libdm. */
const THIN_POOL =
  /^((?!\.{1,2}\/)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*\/(?!\.{1,2}$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*|(?!\.{1,2}$)[A-Za-z0-9#+:=@_.][A-Za-z0-9#+:=@_.-]{0,126})$/;

const existing = z.strictObject({
  pool: z
    .string()
    .regex(THIN_POOL, {
      error: ({ input }) => `${quote(input)} is neither "group/pool" nor the name of a device-mapper device`,
    })
    .describe('A thin pool of LVM as "group/pool", or the name of a device-mapper device. It must hold nothing yet.'),
});

const backing = z.strictObject({
  loop: loop.optional().describe("Two files on loop devices, for trying out."),
  devices: devices.optional().describe("A data and a metadata block device."),
  directLvm: directLvm.optional().describe("Whole disks, in a volume group that the driver makes: for production."),
  existing: existing.optional().describe("A thin pool that an administrator made."),
});

const BACKINGS = Object.keys(backing.shape);

const minimumFreeEach = z.strictObject({
  data: percentage().prefault("10%").describe("Of the data space."),
  metadata: percentage().prefault("10%").describe("Of the metadata space."),
});

const spec = {
  storageOpts: z
    .array(z.string())
    .optional()
    .describe("The same in the words of Docker's devicemapper driver, such as dm.basesize=20G: written out before anything else is read."),
  backing: backing
    .check((payload) => {
      const given = BACKINGS.filter((key) => payload.value[key as keyof typeof payload.value] !== undefined);
      const message = given.length === 0 ? `one of ${BACKINGS.join(", ")} is needed` : `${given.join(" and ")} exclude each other: a pool has one backing`;
      if (given.length > 1 || (given.length === 0 && payload.issues.length === 0)) payload.issues.push({ code: "custom", message, input: payload.value });
    })
    .describe("What the pool lies on: exactly one of the keys below."),
  chunkSize: size({ least: CHUNK_STEP, most: GiB })
    .refine((value) => value % CHUNK_STEP === 0, { error: ({ input }) => `${formatBytes(input as number)} is not a multiple of 64 KiB` })
    .optional()
    .describe("The unit of allocation and of sharing, a multiple of 64 KiB. Fixed for the pool's life. By default 64Ki; a pool that exists has its own."),
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
    .prefault(DEFAULT_VOLUME_SIZE)
    .describe("The size of a volume when none is asked for."),
  filesystem: z.enum(FILESYSTEM_TYPES).default("ext4").describe("The filesystem of a volume when none is asked for."),
  discardOnDelete: z
    .boolean()
    .optional()
    .describe("Give a volume's blocks back to what lies below the pool before it is deleted. By default true on loop, false elsewhere."),
  autoextendThreshold: percentage({ least: 50, most: 100, whole: true })
    .prefault("80%")
    .describe("The pool is made larger when this much of its data is used. 100%: never."),
  autoextendPercent: percentage({ least: 1, most: 100, whole: true })
    .prefault("20%")
    .describe("By how much of its size it is made larger; what there is when there is less."),
  whenFull: z
    .enum(WHEN_FULL)
    .default("auto")
    .describe("What writes do in a full pool: queue waits for room, error fails at once, auto waits while the pool can still be made larger."),
  trim: z
    .strictObject({
      interval: z
        .union([duration({ leastMs: 60_000, mostMs: 366 * 86_400_000 }), z.literal("never").transform(() => undefined)])
        .prefault("7d")
        .describe("How often each mounted filesystem is trimmed, or never."),
      atOnce: z.int().min(1).max(64).default(1).describe("How many at the same time."),
    })
    .prefault({})
    .describe("Mounted filesystems give back the blocks that they do not use: without that a pool only fills."),
};

export const poolDocument = z.strictObject({
  name: poolName().describe('The pool\'s name, at most 40 characters: lower-case letters, digits and "-".'),
  default: z.boolean().optional().describe("The pool of volumes that name none. At most one; an only pool is it unless it says false."),
  ...spec,
});

export type PoolDocument = z.output<typeof poolDocument>;
type BackingDocument = PoolDocument["backing"];

function backingOf({ loop: files, devices: disks, directLvm: whole, existing: made }: BackingDocument, name: string, chunkSize: Bytes): Backing {
  if (files !== undefined) {
    const { dataSize, metadataSize = defaultMetadata(dataSize, chunkSize), maximumDataSize = dataSize } = files;
    return { kind: "loop", ...files, metadataSize, maximumDataSize };
  }
  if (disks !== undefined) return { kind: "devices", ...disks };
  if (whole !== undefined) return { kind: "directLvm", ...whole, volumeGroup: whole.volumeGroup ?? defaultVolumeGroup(name) };
  if (made !== undefined) return { kind: "existing", ...made };
  throw new TypeError("a pool document without a backing passed its check");
}

/** Fills in what depends on something else. `only`: it is the only pool. */
export function describePool(pool: PoolDocument, only: boolean): PoolDescription {
  const {
    default: isDefault = only,
    minimumFree,
    discardOnDelete = pool.backing.loop !== undefined,
    autoextendThreshold,
    autoextendPercent,
    trim,
    chunkSize = DEFAULT_CHUNK,
    storageOpts: _,
    ...rest
  } = pool;
  return {
    ...rest,
    chunkSize,
    isDefault,
    discardOnDelete,
    backing: backingOf(pool.backing, pool.name, chunkSize),
    minimumFree: { dataPercent: minimumFree.data, metadataPercent: minimumFree.metadata },
    autoextend: { thresholdPercent: autoextendThreshold, percent: autoextendPercent },
    trim: trim.interval === undefined ? undefined : { intervalMs: trim.interval, atOnce: trim.atOnce },
  };
}
