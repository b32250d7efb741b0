import { DmthinError } from "../errors.ts";
import { chunksToBytes, metadataBlocksToBytes } from "../units.ts";
import type { PoolDescription } from "../config/pool-description.ts";
import type { PoolFigures } from "./pool-calls.ts";

/**
 * Whether the pool takes new volumes and snapshots: it is `rw`, and has its minimum of data and of metadata free.
 * The minimum is Docker's: at least one block, and the percentage of the whole. Throws "pool-not-writable" or "pool-low".
 */
export function requireRoom(description: Pick<PoolDescription, "name" | "minimumFree">, figures: PoolFigures): void {
  requireWritable(description.name, figures);
  const { data, metadata, chunkSize } = figures;
  const { dataPercent, metadataPercent } = description.minimumFree;
  const dataMinimum = minimumBlocks(data.total, dataPercent);
  if (data.total - data.used < dataMinimum) {
    const freeBytes = chunksToBytes((data.total - data.used) as typeof data.total, chunkSize);
    throw new DmthinError({
      code: "pool-low",
      pool: description.name,
      resource: "data",
      freeBytes,
      minimumBytes: chunksToBytes(dataMinimum as typeof data.total, chunkSize),
    });
  }
  const metadataMinimum = minimumBlocks(metadata.total, metadataPercent);
  if (metadata.total - metadata.used < metadataMinimum) {
    const freeBytes = metadataBlocksToBytes((metadata.total - metadata.used) as typeof metadata.total);
    throw new DmthinError({
      code: "pool-low",
      pool: description.name,
      resource: "metadata",
      freeBytes,
      minimumBytes: metadataBlocksToBytes(metadataMinimum as typeof metadata.total),
    });
  }
}

export function requireWritable(pool: string, figures: PoolFigures): void {
  if (figures.state !== "rw") throw new DmthinError({ code: "pool-not-writable", pool, state: figures.state });
}

export const minimumBlocks = (total: number, percent: number): number => (percent === 0 ? 0 : Math.max(1, Math.floor((total * percent) / 100)));
