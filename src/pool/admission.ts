import { DmthinError } from "../errors.ts";
import { chunksToBytes, metadataBlocksToBytes, type Bytes } from "../units.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import { requireMetadataForCopies } from "./care/metadata-for-copies.ts";
import type { Workbench } from "./workbench.ts";
import { PARTS, type Part } from "./backings/growth.ts";
import type { PoolFigures } from "./pool-calls.ts";

type Description = Pick<PoolDescription, "name" | "minimumFree">;

/**
 * Whether the pool takes new volumes and snapshots: it is `rw`, has its minimum of data and of metadata free, and what it
 * lies on has its reserve. The minimum is Docker's: at least one block, and the percentage of the whole. Throws
 * "pool-not-writable" or "pool-low".
 */
export function requireRoom(description: Description, figures: PoolFigures): void {
  requireWritable(description.name, figures);
  for (const part of PARTS) requireMinimum(description, figures, part);
  requireHostSpace(description.name, figures);
}

/**
 * Whether it also has the metadata for another copy: of each of these, by its id. `isVolume`: the copy can be written.
 * Throws "pool-low".
 */
export function requireRoomForCopies(
  bench: Workbench,
  figures: PoolFigures,
  { ids, isVolume }: { readonly ids: readonly string[]; readonly isVolume: boolean },
): void {
  const { mapped, thins, catalog, parts } = bench;
  if (mapped.metadataRoom === undefined) return; // care looks soon after the start
  for (const id of ids) mapped.note(id, thins.mapped(id));
  const usedBytes = chunksToBytes(figures.data.used, figures.chunkSize);
  const writable = mapped.writable(catalog.thins.values(), usedBytes, isVolume ? ids.map((id) => mapped.of(id)) : []);
  requireMetadataForCopies(parts.description.name, figures, writable, mapped.metadataRoom);
}

export function requireWritable(pool: string, figures: PoolFigures): void {
  if (figures.state !== "rw") throw new DmthinError({ code: "pool-not-writable", pool, state: figures.state });
}

/** Throws "pool-low". */
export function requireMinimum({ name, minimumFree }: Description, figures: PoolFigures, part: Part): void {
  const { used, total } = figures[part];
  const minimum = minimumBlocks(total, part === "data" ? minimumFree.dataPercent : minimumFree.metadataPercent);
  if (total - used >= minimum) return;
  const inBytes = (blocks: number): Bytes =>
    part === "data" ? chunksToBytes(blocks as typeof figures.data.total, figures.chunkSize) : metadataBlocksToBytes(blocks as typeof figures.metadata.total);
  throw new DmthinError({ code: "pool-low", pool: name, resource: part, freeBytes: inBytes(total - used), minimumBytes: inBytes(minimum) });
}

/** Throws "pool-low". */
export function requireHostSpace(pool: string, { host }: PoolFigures): void {
  if (host === undefined || host.freeBytes >= host.reserveBytes) return;
  throw new DmthinError({ code: "pool-low", pool, resource: "host", freeBytes: host.freeBytes, minimumBytes: host.reserveBytes });
}

export const minimumBlocks = (total: number, percent: number): number => (percent === 0 ? 0 : Math.max(1, Math.floor((total * percent) / 100)));
