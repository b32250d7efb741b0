import { bytesToSectors, chunks, sectors, sectorsToBytes, type Bytes, type Chunks, type Sectors } from "../units.ts";
import type { DeviceNumber, Target } from "./device-mapper.ts";

/**
 * The tables of a pool and of a thin device. Devices are named by number, since the names below /dev can be stale.
 * Source: Documentation/admin-guide/device-mapper/thin-provisioning.rst, "Reference".
 */

/** In the order in which the kernel reports them. */
const POOL_FEATURES = ["skip_block_zeroing", "ignore_discard", "no_discard_passdown", "read_only", "error_if_no_space"] as const;
export type PoolFeature = (typeof POOL_FEATURES)[number];

export interface PoolTable {
  readonly metadata: DeviceNumber;
  readonly data: DeviceNumber;
  /** 64 KiB to 1 GiB, a multiple of 64 KiB. */
  readonly chunkSize: Bytes;
  /** An event is raised once when fewer free chunks are left. */
  readonly lowWaterMark: Chunks;
  /** As in POOL_FEATURES; a newer kernel's table may hold others. */
  readonly features: readonly string[];
}

export interface ThinTable {
  readonly pool: DeviceNumber;
  /** 0 to 2^24 - 1. */
  readonly number: number;
}

/** As the kernel reports it once it is loaded, letter by letter. */
export function poolTarget(table: PoolTable, length: Sectors): Target {
  const known = POOL_FEATURES.filter((feature) => table.features.includes(feature));
  const others = table.features.filter((feature) => !POOL_FEATURES.some((name) => name === feature));
  const features = [...known, ...others];
  const parameters = [deviceText(table.metadata), deviceText(table.data), bytesToSectors(table.chunkSize), table.lowWaterMark, features.length, ...features];
  return { start: sectors(0), length, type: "thin-pool", parameters: parameters.join(" ") };
}

/** undefined when the target is no thin pool on devices given by number. */
export function parsePoolTarget({ type, parameters }: Target): PoolTable | undefined {
  const [metadata = "", data = "", chunkSectors = "", lowWaterMark = "", featureCount = "0", ...features] = words(parameters);
  const metadataNumber = parseDevice(metadata);
  const dataNumber = parseDevice(data);
  if (type !== "thin-pool" || metadataNumber === undefined || dataNumber === undefined) return undefined;
  if (![chunkSectors, lowWaterMark, featureCount].every((word) => WHOLE.test(word))) return undefined;
  return {
    metadata: metadataNumber,
    data: dataNumber,
    chunkSize: sectorsToBytes(sectors(Number(chunkSectors))),
    lowWaterMark: chunks(Number(lowWaterMark)),
    features: features.slice(0, Number(featureCount)),
  };
}

export const thinTarget = ({ pool, number }: ThinTable, length: Sectors): Target => ({
  start: sectors(0),
  length,
  type: "thin",
  parameters: `${deviceText(pool)} ${number}`,
});

const WHOLE = /^\d+$/;
/** Of a table or a status, as the kernel reports it. */
export const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");
const deviceText = ({ major, minor }: DeviceNumber): string => `${major}:${minor}`;

function parseDevice(text: string): DeviceNumber | undefined {
  const [, major, minor] = /^(\d+):(\d+)$/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
