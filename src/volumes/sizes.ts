import type { PoolDescription } from "../config/pool-description.ts";
import { DmthinError } from "../errors.ts";
import type { PoolFigures } from "../pool/pool-calls.ts";
import { bytes, formatBytes, roundDown, roundUp, type Bytes } from "../units.ts";
import type { SizeRange } from "./volumes.ts";

export interface SizeBounds {
  /** Sizes are whole chunks: so they are whole sectors too. */
  readonly chunkSize: Bytes;
  /** What the filesystem needs; one chunk for none. */
  readonly minimumBytes: Bytes;
  /** The most that a pool of this size could ever promise. */
  readonly maximumBytes: Bytes;
}

export interface NewSizeBounds extends SizeBounds {
  /** Of a blank volume for which no size is asked. */
  readonly defaultBytes: Bytes;
  /** A thin device is never smaller than its origin. */
  readonly sourceBytes: Bytes | undefined;
}

/** The most that can be asked of the pool: its data, as many times as it may be promised. */
export function maximumVolumeBytes(description: Pick<PoolDescription, "overcommitRatio">, figures: PoolFigures): Bytes {
  const promised = Math.min(Math.floor(figures.data.total * description.overcommitRatio) * figures.chunkSize, Number.MAX_SAFE_INTEGER);
  return roundDown(bytes(promised), figures.chunkSize);
}

/** The smallest device for the filesystem (none: one chunk). */
export const minimumVolumeBytes = (chunkSize: Bytes, filesystemMinimum: Bytes | undefined): Bytes =>
  roundUp(bytes(Math.max(filesystemMinimum ?? 0, chunkSize)), chunkSize);

/**
 * The size of a new volume, the same for the same question. A clone or restore is at least as large as its source:
 * Kubernetes compares its size with what the source's claim asked for, which may be less than what that got. Throws "out-of-range".
 */
export function newVolumeSize(asked: SizeRange, bounds: NewSizeBounds): Bytes {
  const { sourceBytes, minimumBytes } = bounds;
  const unasked = sourceBytes ?? defaultWithin(asked.limitBytes, bounds);
  return sizeWithin(asked, asked.requiredBytes === 0n ? unasked : 0, bounds, [
    { bytes: minimumBytes, why: "the smallest volume of this kind" },
    ...(sourceBytes === undefined ? [] : [{ bytes: sourceBytes, why: "the size of its source" }]),
  ]);
}

/** The size after an expansion: never less than now, and exactly what was asked where that is whole chunks. Throws "out-of-range". */
export function expandedSize(asked: SizeRange, currentBytes: Bytes, bounds: SizeBounds): Bytes {
  const isLargeEnough = asked.requiredBytes >= 0n && asked.requiredBytes <= BigInt(currentBytes);
  if (isLargeEnough && (asked.limitBytes === undefined || asked.limitBytes >= BigInt(currentBytes))) return currentBytes;
  return sizeWithin(asked, 0, bounds, [{ bytes: currentBytes, why: "its size now, and no volume shrinks" }]);
}

/** Why a volume of this size is not what was asked for, in words; undefined when it is. */
export function sizeDifference(asked: SizeRange, actual: Bytes): string | undefined {
  if (asked.requiredBytes > BigInt(actual)) return `it has ${formatBytes(actual)}, and at least ${format(asked.requiredBytes)} were asked for`;
  if (asked.limitBytes !== undefined && asked.limitBytes < BigInt(actual))
    return `it has ${formatBytes(actual)}, and at most ${format(asked.limitBytes)} were asked for`;
  return undefined;
}

interface Floor {
  readonly bytes: Bytes;
  readonly why: string;
}

function sizeWithin(asked: SizeRange, otherwise: number, bounds: SizeBounds, floors: readonly Floor[]): Bytes {
  const { requiredBytes: required, limitBytes: limit } = asked;
  const { chunkSize, maximumBytes } = bounds;
  if (required < 0n || (limit !== undefined && limit < 0n)) throw outOfRange(asked, "sizes are whole numbers of bytes from 0 to 2^63 - 1");
  if (limit !== undefined && limit < required) throw outOfRange(asked, `the limit of ${format(limit)} is below what is required`);
  if (required > BigInt(maximumBytes)) throw outOfRange(asked, `the largest volume that this pool can ever hold has ${formatBytes(maximumBytes)}`);
  for (const floor of floors) {
    if (limit !== undefined && limit < BigInt(floor.bytes))
      throw outOfRange(asked, `the limit of ${format(limit)} is below ${formatBytes(floor.bytes)}, ${floor.why}`);
  }
  const size = roundUp(bytes(Math.max(Number(required), otherwise, ...floors.map((floor) => floor.bytes))), chunkSize);
  if (limit !== undefined && BigInt(size) > limit) {
    throw outOfRange(asked, `in whole chunks of ${formatBytes(chunkSize)} it would be ${size} bytes, above the limit of ${limit} bytes`);
  }
  if (size > maximumBytes)
    throw outOfRange(asked, `it would be ${formatBytes(size)}, and the largest volume that this pool can ever hold has ${formatBytes(maximumBytes)}`);
  return size;
}

function defaultWithin(limit: bigint | undefined, { defaultBytes, chunkSize }: NewSizeBounds): Bytes {
  if (limit === undefined || limit >= BigInt(roundUp(defaultBytes, chunkSize)) || limit < 0n) return defaultBytes;
  return roundDown(bytes(Number(limit)), chunkSize);
}

const outOfRange = ({ requiredBytes, limitBytes }: SizeRange, reason: string): DmthinError =>
  new DmthinError({ code: "out-of-range", what: `a size of ${format(requiredBytes === 0n ? (limitBytes ?? 0n) : requiredBytes)}`, reason });

const format = (value: bigint): string => (value < 0n ? `${value} B` : formatBytes(Number(value)));
