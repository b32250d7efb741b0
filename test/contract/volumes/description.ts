import type { Backing, PoolDescription } from "../../../src/config/pool-description.ts";
import { EXTENT_BYTES, extentsOf } from "../../../src/pool/backings/lvm-layout.ts";
import { bytes, GiB, KiB, MiB, type Bytes } from "../../../src/units.ts";
import { isOnLvm } from "../choice.ts";
import type { WorldOptions } from "./world.ts";

export const POOL = "contract";
/** Of the driver, where it runs in a cluster. */
export const NAMESPACE = "dmthin-system";
export const NODE = "contract-node";
/** Small: thin_ls takes as long as the device is large. */
export const METADATA_BYTES = 64 * MiB;

const CHUNK_BYTES = bytes(64 * KiB);
/** A pool's data grows by whole ones of these. */
export const GROWTH_STEP_BYTES: Bytes = isOnLvm ? EXTENT_BYTES : CHUNK_BYTES;

interface Devices {
  readonly data: string;
  readonly metadata: string;
  /** Where it is not these two. */
  readonly backing?: Backing;
}

/** As large as a world says; without a size the data has almost all of the disk. */
export function wholeDisk(disk: { readonly path: string; readonly sizeBytes: Bytes }, { dataBytes, metadataBytes = METADATA_BYTES }: WorldOptions): Backing {
  const percentOf = (size: number): number => ((size / EXTENT_BYTES + 0.5) / extentsOf(disk.sizeBytes)) * 100; // half of one too many, which the layout rounds down
  const shares = { thinpPercent: dataBytes === undefined ? 95 : percentOf(dataBytes), thinpMetaPercent: percentOf(metadataBytes) };
  return { kind: "directLvm", devices: [disk.path], metadataDevices: [], volumeGroup: `dmthin-${POOL}`, ...shares, force: false };
}

/** The pool of a world. */
export const describePool = ({ data, metadata, backing }: Devices, { pool = {} }: WorldOptions): PoolDescription => ({
  name: POOL,
  isDefault: true,
  backing: backing ?? { kind: "devices", data, metadata },
  chunkSize: CHUNK_BYTES,
  zeroNewBlocks: true,
  minimumFree: { dataPercent: 10, metadataPercent: 10 },
  overcommitRatio: 10,
  defaultVolumeSize: bytes(1 * GiB),
  filesystem: "ext4",
  discardOnDelete: false,
  autoextend: { thresholdPercent: 80, percent: 20 },
  whenFull: "error",
  trim: undefined,
  ...pool,
});
