import { leastMetadata } from "../../config/metadata-size.ts";
import { formatBytes, GiB, MiB, bytes, type Bytes } from "../../units.ts";

/** LVM's own default; a disk of 100 TiB has 26 million of them. */
export const EXTENT_BYTES = bytes(4 * MiB);
/** LVM keeps its label and its metadata in a disk's first MiB. */
const LVM_HEADER_BYTES = MiB;
/** With less there is nothing worth sharing out. */
export const MINIMUM_BYTES = GiB;
/** LVM's own limit is 15.81 GiB; beyond it metadata cannot be repaired by its tools. */
export const MOST_METADATA = bytes(15.75 * GiB);
const LEAST_METADATA = bytes(8 * MiB);
/** The catalogue takes about 2 KiB a volume, twice while it is copied, and its filesystem a journal. */
const LEAST_CATALOG = bytes(64 * MiB);
const MOST_CATALOG = GiB;
const CATALOG_SHARE = 2048;

/** What there is, in extents of 4 MiB. `metadata`: of the disks that are for catalogue and metadata alone; 0: there are none. */
export interface Room {
  readonly data: number;
  readonly metadata: number;
}

export interface LayoutOptions {
  readonly thinpPercent: number;
  readonly thinpMetaPercent: number;
  readonly chunkSize: Bytes;
}

/** Who gets how many extents. What is left over is for extension. */
export interface LvmLayout {
  readonly total: number;
  readonly catalog: number;
  readonly metadata: number;
  /** As large as the metadata: LVM repairs into it. */
  readonly spare: number;
  readonly data: number;
  readonly free: number;
}

export const extentsOf = (disk: Bytes): number => Math.max(0, Math.floor((disk - LVM_HEADER_BYTES) / EXTENT_BYTES));

/**
 * How a volume group is shared out. Catalogue, metadata and spare come first, and the data gets its percentage of the
 * group, or what is left of it:
 *
 * - catalogue: a 2048th of the group, at least 64 MiB, at most 1 GiB;
 * - metadata: its percentage of the group; never less than mapping all of the data once takes, nor less than 8 MiB; never
 *   more than 15.75 GiB, nor than what its own disks have for it and its spare;
 * - spare: as large as the metadata;
 * - data: its percentage of the group, at most what is left on its disks.
 *
 * Pure: what it answers, or the reason why there is none, is logged before anything is written.
 */
export function layOut(room: Room, { thinpPercent, thinpMetaPercent, chunkSize }: LayoutOptions): LvmLayout | { readonly refused: string } {
  const total = room.data + room.metadata;
  const hasOwnDisks = room.metadata > 0;
  if (room.data < extentsOf(MINIMUM_BYTES)) {
    return { refused: `its disks have ${size(room.data)}, and a pool takes at least ${formatBytes(MINIMUM_BYTES)}` };
  }
  const catalog = extents(clamp(bytes(Math.floor((total * EXTENT_BYTES) / CATALOG_SHARE)), LEAST_CATALOG, MOST_CATALOG));
  const mostData = Math.min(percentOf(total, thinpPercent), room.data);
  const needed = extents(bytes(Math.max(leastMetadata(inBytes(mostData), chunkSize), LEAST_METADATA)));
  const most = Math.min(extents(MOST_METADATA), hasOwnDisks ? Math.floor((room.metadata - catalog) / 2) : total);
  if (needed > most) return { refused: tooFew(needed, most, hasOwnDisks) };
  const metadata = Math.min(Math.max(percentOf(total, thinpMetaPercent), needed), most);
  const taken = catalog + 2 * metadata;
  const data = Math.min(mostData, hasOwnDisks ? room.data : total - taken);
  if (data <= 0) return { refused: `catalogue, metadata and spare take ${size(taken)} of its ${size(total)}, and nothing is left for data` };
  return { total, catalog, metadata, spare: metadata, data, free: total - taken - data };
}

/** For people, a line a part. */
export function describeLayout({ total, catalog, metadata, spare, data, free }: LvmLayout): readonly string[] {
  const line = (name: string, count: number): string => `${name}: ${size(count)} (${((count / total) * 100).toFixed(1)} %)`;
  return [line("catalogue", catalog), line("metadata", metadata), line("spare", spare), line("data", data), line("left for extension", free)];
}

function tooFew(needed: number, most: number, hasOwnDisks: boolean): string {
  const wanted = `its metadata would take ${size(needed)} to map all of its data, `;
  const remedy = "a larger chunkSize takes less";
  if (hasOwnDisks && most < extents(MOST_METADATA))
    return `${wanted}and its disks for metadata have ${size(Math.max(0, most))} beside catalogue and spare; ${remedy}`;
  return `${wanted}and metadata has at most ${size(most)}; ${remedy}`;
}

const extents = (amount: Bytes): number => Math.ceil(amount / EXTENT_BYTES);
const inBytes = (count: number): Bytes => bytes(count * EXTENT_BYTES);
const size = (count: number): string => formatBytes(count * EXTENT_BYTES);
const percentOf = (count: number, percent: number): number => Math.floor((count * percent) / 100);
const clamp = (value: Bytes, least: Bytes, most: Bytes): Bytes => bytes(Math.min(Math.max(value, least), most));
