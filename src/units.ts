/**
 * Quantities carry their unit in their type, so that sectors never meet bytes by accident.
 * All are whole numbers up to 2^53 - 1: 8 PiB, and a thin pool ends far below.
 */
declare const unit: unique symbol;
type Quantity<Unit extends string> = number & { readonly [unit]: Unit };

export type Bytes = Quantity<"bytes">;
/** 512 bytes, whatever the disk: the kernel's unit for tables. */
export type Sectors = Quantity<"sectors">;
/** Chunks of one pool: the kernel calls them data blocks. */
export type Chunks = Quantity<"chunks">;
/** 4 KiB blocks of a pool's metadata device. */
export type MetadataBlocks = Quantity<"metadata blocks">;

export const BYTES_PER_SECTOR = 512;
export const BYTES_PER_METADATA_BLOCK = 4096;

const whole = (value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a whole quantity`);
  return value;
};

export const bytes = (value: number): Bytes => whole(value) as Bytes;
export const sectors = (value: number): Sectors => whole(value) as Sectors;
export const chunks = (value: number): Chunks => whole(value) as Chunks;
export const metadataBlocks = (value: number): MetadataBlocks => whole(value) as MetadataBlocks;

export const KiB = bytes(1024);
export const MiB = bytes(1024 ** 2);
export const GiB = bytes(1024 ** 3);
export const TiB = bytes(1024 ** 4);

/** Throws RangeError when the bytes are not whole sectors: a table cannot say half of one. */
export const bytesToSectors = (value: Bytes): Sectors => sectors(value / BYTES_PER_SECTOR);
export const sectorsToBytes = (value: Sectors): Bytes => bytes(value * BYTES_PER_SECTOR);
export const chunksToBytes = (value: Chunks, chunkSize: Bytes): Bytes => bytes(value * chunkSize);
export const metadataBlocksToBytes = (value: MetadataBlocks): Bytes => bytes(value * BYTES_PER_METADATA_BLOCK);

export const roundUp = (value: Bytes, multiple: Bytes): Bytes => bytes(Math.ceil(value / multiple) * multiple);
export const roundDown = (value: Bytes, multiple: Bytes): Bytes => bytes(Math.floor(value / multiple) * multiple);

/** Of a timer of Node's, in milliseconds: one that is set for longer fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const FACTORS: Readonly<Record<string, number>> = { "": 1, b: 1, ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3, ti: 1024 ** 4 };
const SIZE = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/;

/**
 * "10Gi", "512KiB" or plain bytes. Answers undefined for what is no size, is negative, is not a whole number of bytes,
 * passes 2^53 - 1, or is ambiguous (`ambiguousSize`).
 */
export function parseSize(text: string): Bytes | undefined {
  const [, digits, suffix] = SIZE.exec(text) ?? [];
  const factor = FACTORS[suffix?.toLowerCase().replace(/(?<=i)b$/, "") ?? "none"];
  if (digits === undefined || factor === undefined) return undefined;
  const value = Number(digits) * factor;
  return Number.isSafeInteger(value) ? bytes(value) : undefined;
}

/** Why "10G" is no size, in a sentence: to Kubernetes it is 10^10, to Docker and LVM 10 * 2^30. undefined: it is not of that kind. */
export function ambiguousSize(text: string): string | undefined {
  const [, digits, suffix] = SIZE.exec(text) ?? [];
  const letter = /^([kmgt])b?$/i.exec(suffix ?? "")?.[1]?.toUpperCase();
  if (digits === undefined || letter === undefined) return undefined;
  const power = { K: 3, M: 6, G: 9, T: 12 }[letter] ?? 0;
  return `"${text.trim()}" is ambiguous, a power of 1000 to some and of 1024 to others: write ${digits}${letter}i for ${digits} * 2^${(power / 3) * 10}, or the bytes`;
}

/** For people: "10 GiB", "1.5 TiB", "512 B"; at most one decimal. */
export function formatBytes(value: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  // What rounds to 1024 of a unit is one of the next.
  const power = names.findIndex((_, index) => index === names.length - 1 || Number((value / 1024 ** index).toFixed(1)) < 1024);
  return `${Number((value / 1024 ** power).toFixed(1))} ${names[power]}`;
}

/** The same size for Kubernetes, in the largest unit that says it exactly: "64Mi", "65537". */
export const exactQuantity = (value: number): string => (value % GiB === 0 ? `${value / GiB}Gi` : value % MiB === 0 ? `${value / MiB}Mi` : String(value));

/** As Kubernetes writes sizes, for tables: "37.5Gi", "64Mi"; rounded down to one decimal, so that it is never more than there is. */
export function formatQuantity(value: number): string {
  const suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
  const power = suffixes.findLastIndex((_, index) => index === 0 || value >= 1024 ** index);
  return `${Math.floor((value / 1024 ** power) * 10) / 10}${suffixes[power]}`;
}
