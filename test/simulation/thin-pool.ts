import type { SimulatedDisk } from "./disk.ts";
import { refusal } from "./errno.ts";
import { printFeatures, type PoolFeatures } from "./pool-features.ts";
import type { PoolState } from "./pool-state.ts";
import { handlePoolMessage } from "./pool-messages.ts";
import type { KernelTarget } from "./targets.ts";

const SHOWN_MODES = { rw: "rw", out_of_data_space: "out_of_data_space", out_of_metadata: "ro", ro: "ro", Fail: "Fail" } as const;
const METADATA_BLOCK_BYTES = 4096;

export interface PoolTable {
  readonly length: number;
  readonly lowWaterMark: number;
  readonly features: PoolFeatures;
}

/** The "thin-pool" target: one table over a pool. Source: drivers/md/dm-thin.c, pool_target. */
export class ThinPoolTarget implements KernelTarget {
  readonly type = "thin-pool";
  readonly pool: PoolState;
  readonly #table: PoolTable;
  readonly #close: readonly (() => void)[];
  length: number;

  constructor(pool: PoolState, table: PoolTable) {
    this.pool = pool;
    this.#table = table;
    this.length = table.length;
    this.#close = [pool.data.open(), pool.metadataDisk.open()];
  }

  tableText(): string {
    const { metadataDisk, data, metadata } = this.pool;
    const features = { ...this.#table.features, readOnly: this.#table.features.readOnly || this.pool.mode === "ro" };
    return `${number(metadataDisk)} ${number(data)} ${metadata.chunkBytes / 512} ${this.#table.lowWaterMark} ${printFeatures(features)}`;
  }

  statusText({ flush }: { readonly flush: boolean }): string {
    const { pool } = this;
    const { metadata } = pool;
    if (pool.mode === "Fail") return "Fail";
    if (flush && !pool.suspended) pool.commit();
    const threshold = Math.min(1024, Math.floor(pool.metadataDisk.sizeBytes / METADATA_BLOCK_BYTES / 4));
    return [
      metadata.transactionId,
      `${metadata.usedMetadataBlocks}/${metadata.metadataBlocks}`,
      `${metadata.usedDataBlocks}/${metadata.dataBlocks}`,
      metadata.heldRoot ?? "-",
      SHOWN_MODES[pool.mode],
      !pool.features.discard ? "ignore_discard" : pool.features.discardPassdown ? "discard_passdown" : "no_discard_passdown",
      pool.errorsWhenFull ? "error_if_no_space" : "queue_if_no_space",
      metadata.needsCheck ? "needs_check" : "-",
      threshold,
      "",
    ].join(" ");
  }

  message(text: string): string {
    handlePoolMessage(this.pool, text);
    return "";
  }

  read = (offset: number, length: number): Buffer => this.pool.data.read(offset, length);
  write = (offset: number, data: Buffer): void => this.pool.data.write(offset, data);
  discard = (): void => this.#refuse();
  flush = (): void => this.pool.commit();

  /** Growth is applied here, and what is too small is refused here. */
  preresume(): void {
    const { pool } = this;
    const { metadata } = pool;
    if (pool.mode === "Fail") return;
    if (pool.mode === "ro" && !metadata.needsCheck && !this.#table.features.readOnly) pool.setMode("rw");
    if (this.#table.features.readOnly && pool.mode === "rw") pool.setMode("ro");
    const dataBlocks = Math.floor((this.length * 512) / metadata.chunkBytes);
    const metadataBlocks = Math.floor(pool.metadataDisk.sizeBytes / METADATA_BLOCK_BYTES);
    if (dataBlocks < metadata.dataBlocks || metadataBlocks < metadata.metadataBlocks) throw refusal("resume", "thin-pool", "EINVAL");
    if (metadata.needsCheck) return;
    const grows = dataBlocks > metadata.dataBlocks || metadataBlocks > metadata.metadataBlocks;
    if (!grows) return;
    if (metadataBlocks > metadata.metadataBlocks && pool.mode === "out_of_metadata") pool.setMode("rw");
    metadata.dataBlocks = dataBlocks;
    metadata.metadataBlocks = metadataBlocks;
    metadata.touch();
    pool.commit();
  }

  suspended(now: boolean): void {
    const { pool } = this;
    if (now) pool.commit();
    else {
      pool.features = this.#table.features;
      pool.lowWaterMark = this.#table.lowWaterMark;
    }
    pool.suspended = now;
    pool.resumed();
  }

  destroy(): void {
    for (const close of this.#close) close();
  }

  #refuse(): never {
    throw refusal("discard", "thin-pool", "EOPNOTSUPP");
  }
}

const number = (device: { readonly major: number; readonly minor: number }): string => `${device.major}:${device.minor}`;

/** Which pool a metadata disk is in use by. Two pool devices on one are EBUSY. */
export class PoolRegistry {
  readonly #pools = new Map<SimulatedDisk, { readonly owner: object; readonly state: PoolState; tables: number }>();

  /** `owner` is the pool's mapped device. Answers its pool, made by `create` when there is none. */
  claim(owner: object, metadataDisk: SimulatedDisk, create: () => PoolState): PoolState {
    const found = this.#pools.get(metadataDisk);
    if (found !== undefined && found.owner !== owner) throw refusal("table load", metadataDisk.path, "EBUSY");
    const entry = found ?? { owner, state: create(), tables: 0 };
    entry.tables++;
    this.#pools.set(metadataDisk, entry);
    return entry.state;
  }

  /** A table is gone; the pool with its last one. */
  release(metadataDisk: SimulatedDisk): void {
    const found = this.#pools.get(metadataDisk);
    if (found !== undefined && --found.tables === 0) this.#pools.delete(metadataDisk);
  }

  forget(): void {
    this.#pools.clear();
  }
}
