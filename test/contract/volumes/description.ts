import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { bytes, GiB, KiB, MiB } from "../../../src/units.ts";
import { isOnLvm } from "../choice.ts";
import type { WorldOptions } from "./world.ts";

export const POOL = "contract";
export const NODE = "contract-node";
/** Small: thin_ls takes as long as the device is large. */
export const METADATA_BYTES = 64 * MiB;

/** Metadata as small as elsewhere. */
const WHOLE_DISK = { metadataDevices: [], volumeGroup: `dmthin-${POOL}`, thinpPercent: 95, thinpMetaPercent: 0.8, force: false };

/** The pool of a world. */
export const describePool = (devices: { readonly data: string; readonly metadata: string }, { pool = {} }: WorldOptions): PoolDescription => ({
  name: POOL,
  isDefault: true,
  backing: isOnLvm ? { kind: "directLvm", devices: [devices.data], ...WHOLE_DISK } : { kind: "devices", ...devices },
  chunkSize: bytes(64 * KiB),
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
