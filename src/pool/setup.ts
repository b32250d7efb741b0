import type { DeviceMapper } from "../devicemapper/device-mapper.ts";
import { formatBytes, type Bytes } from "../units.ts";
import type { BackingDevice, BackingDevices } from "./backings/backing.ts";
import type { PoolFigures } from "./pool-calls.ts";

/** What stays as it is while a pool is open: for those who show it. */
export interface PoolSetup {
  /** The pool's own device: its name in the kernel, and its node. */
  readonly name: string;
  readonly path: string;
  readonly data: DeviceBelow;
  readonly metadata: DeviceBelow;
  /** Of the ioctl interface, and of the targets. undefined for a target that is not loaded. */
  readonly versions: { readonly deviceMapper: string; readonly thinPool: string | undefined; readonly thin: string | undefined };
}

export interface DeviceBelow {
  readonly path: string;
  /** The file that a loop device shows. */
  readonly file: string | undefined;
  /** The largest discard that it takes at once, 0: none; undefined where that cannot be told. */
  readonly discardMaxBytes: Bytes | undefined;
}

/** What a thin device takes in its pool. */
export interface ThinSpace {
  readonly mappedBytes: Bytes;
  /** Mapped by no other: what its deletion would give back. undefined until it was measured. */
  readonly exclusiveBytes: Bytes | undefined;
}

/** One listing of the metadata: all of one moment. */
export interface Measurement {
  readonly at: Date;
  /** Whether what each maps alone was measured too. */
  readonly exclusive: boolean;
  /** By the id of volume or snapshot. */
  readonly thins: ReadonlyMap<string, ThinSpace>;
}

export function describeSetup(dm: DeviceMapper, poolUuid: string, { data, metadata }: BackingDevices): PoolSetup {
  const { interface: deviceMapper, targets } = dm.versions();
  const pool = dm.info(poolUuid);
  return {
    name: pool?.name ?? "",
    path: pool === undefined ? "" : `/dev/dm-${pool.minor}`,
    data: below(data),
    metadata: below(metadata),
    versions: { deviceMapper, thinPool: targets.get("thin-pool"), thin: targets.get("thin") },
  };
}

const below = ({ path, file, discardMaxBytes }: BackingDevice): DeviceBelow => ({ path, file, discardMaxBytes });

/**
 * Why discards stay in the pool; undefined while they are passed down. The kernel says so of a disk that takes none, or
 * only smaller ones than a chunk. Source: drivers/md/dm-thin.c, disable_passdown_if_not_supported.
 */
export function discardHindrance(figures: PoolFigures, setup: PoolSetup | undefined): string | undefined {
  if (figures.discardPassdown) return undefined;
  const { path, discardMaxBytes } = setup?.data ?? { path: "", discardMaxBytes: undefined };
  if (discardMaxBytes === 0) return `${path} takes no discards`;
  if (discardMaxBytes !== undefined && discardMaxBytes < figures.chunkSize)
    return `${path} takes discards of at most ${formatBytes(discardMaxBytes)} at once, less than a chunk of ${formatBytes(figures.chunkSize)}`;
  return figures.state === "Fail" || figures.state === "Error" ? "the pool has failed" : "its table says so";
}
