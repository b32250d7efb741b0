import type { PoolDescription } from "../config/pool-description.ts";
import { DmthinError } from "../errors.ts";
import { minimumBlocks, requireRoom } from "../pool/admission.ts";
import type { PoolFigures } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { bytes, roundDown, type Bytes } from "../units.ts";
import { requireServing } from "./pool-set.ts";

/** Of one chunk each, in a full leaf of the mapping tree. Source: thin-provisioning-tools, thin_metadata_size. */
const MAPPINGS_PER_METADATA_BLOCK = 126;

type Description = Pick<PoolDescription, "minimumFree" | "overcommitRatio">;

/**
 * How much can still be promised to new volumes: the smallest of what the overcommit ratio leaves, what the free data
 * space above the minimum backs, down to the filesystem below a pool's files, and what the free metadata above the
 * minimum can map. 0 while nothing can be changed.
 */
export function availableBytes(description: Description, figures: PoolFigures, promisedBytes: number): Bytes {
  if (figures.state !== "rw") return bytes(0);
  const { overcommitRatio: ratio, minimumFree } = description;
  const { data, metadata, chunkSize, host } = figures;
  const unpromised = data.total * chunkSize * ratio - promisedBytes;
  const hostBytes = host === undefined ? Infinity : Math.max(host.freeBytes - host.reserveBytes, 0);
  const backed = Math.min(freeAboveMinimum(data, minimumFree.dataPercent) * chunkSize, hostBytes) * ratio;
  const mappable = freeAboveMinimum(metadata, minimumFree.metadataPercent) * MAPPINGS_PER_METADATA_BLOCK * chunkSize * ratio;
  const available = Math.min(unpromised, backed, mappable, Number.MAX_SAFE_INTEGER);
  return roundDown(bytes(Math.max(Math.floor(available), 0)), chunkSize);
}

const freeAboveMinimum = ({ used, total }: { readonly used: number; readonly total: number }, percent: number): number =>
  Math.max(total - used - minimumBlocks(total, percent), 0);

/** What is promised while it is being made: calls at the same time must not promise the same space. */
export class Capacities {
  readonly #reserved = new Map<Pool, number>();

  available(pool: Pool): Bytes {
    const { status, figures, promisedBytes } = pool.view;
    if (status.kind !== "ready" || figures === undefined) return bytes(0);
    return availableBytes(pool.description, figures, promisedBytes + this.#reservedOf(pool));
  }

  /** Takes space until disposed: then it is in the pool's records, or not needed. Throws "pool-low", "pool-not-writable" or "pool-too-small". */
  reserve(pool: Pool, wantedBytes: Bytes): Disposable {
    requireSpace(pool);
    const available = this.available(pool);
    if (wantedBytes > available) {
      throw new DmthinError({ code: "pool-too-small", pool: pool.description.name, wantedBytes, availableBytes: available });
    }
    this.#reserved.set(pool, this.#reservedOf(pool) + wantedBytes);
    return { [Symbol.dispose]: () => this.#reserved.set(pool, this.#reservedOf(pool) - wantedBytes) };
  }

  #reservedOf(pool: Pool): number {
    return this.#reserved.get(pool) ?? 0;
  }
}

/** What every snapshot and volume needs: a pool that serves, can be written, and has its minimum free. */
export function requireSpace(pool: Pool): void {
  requireRoom(pool.description, requireServing(pool));
}
