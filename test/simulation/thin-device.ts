import { refusal } from "./errno.ts";
import type { PoolState } from "./pool-state.ts";
import { QuietTarget, type KernelTarget } from "./targets.ts";
import { WouldWait } from "./waiting.ts";

/** The "thin" target: one thin device of a pool. Source: drivers/md/dm-thin.c, thin_target. */
export class ThinTarget extends QuietTarget implements KernelTarget {
  readonly type = "thin";
  readonly number: number;
  readonly #pool: PoolState;
  readonly #poolNumber: string;
  readonly #closePool: () => void;
  length: number;

  /** ENODATA for a number that the pool does not know; EINVAL while the pool is suspended or has failed. */
  constructor(length: number, poolDevice: { readonly major: number; readonly minor: number; open(): () => void }, pool: PoolState, number: number) {
    super();
    if (pool.mode === "Fail") throw refusal("table load", `thin ${number}`, "EINVAL");
    if (!pool.metadata.has(number)) throw refusal("table load", `thin ${number}`, "ENODATA");
    if (pool.suspended) throw refusal("table load", `thin ${number}`, "EINVAL");
    this.length = length;
    this.number = number;
    this.#pool = pool;
    this.#poolNumber = `${poolDevice.major}:${poolDevice.minor}`;
    this.#closePool = poolDevice.open();
    pool.opened.set(number, (pool.opened.get(number) ?? 0) + 1);
  }

  tableText = (): string => `${this.#poolNumber} ${this.number}`;

  statusText({ flush }: { readonly flush: boolean }): string {
    if (this.#pool.mode === "Fail") return "Fail";
    if (flush && !this.#pool.suspended) this.#pool.commit();
    const chunkSectors = this.#pool.metadata.chunkBytes / 512;
    const mapping = this.#pool.metadata.mapping(this.number);
    if (mapping.size === 0) return "0 -";
    return `${mapping.size * chunkSectors} ${(Math.max(...mapping.keys()) + 1) * chunkSectors - 1}`;
  }

  read(offset: number, length: number): Buffer {
    this.#requireRunning();
    const parts: Buffer[] = [];
    this.#each(offset, length, (chunk, within, count) => {
      const block = this.#pool.metadata.mapping(this.number).get(chunk);
      parts.push(block === undefined ? Buffer.alloc(count) : this.#pool.data.read(this.#at(block) + within, count));
    });
    return Buffer.concat(parts);
  }

  write(offset: number, data: Buffer): void {
    this.#requireRunning();
    let done = 0;
    this.#each(offset, data.length, (chunk, within, count) => {
      const block = this.#blockToWrite(chunk);
      this.#pool.data.write(this.#at(block) + within, data.subarray(done, done + count));
      done += count;
    });
  }

  /** Only whole chunks are given back. */
  discard(offset: number, length: number): void {
    this.#requireRunning();
    const { metadata, data, features, mode } = this.#pool;
    if (!features.discard) throw refusal("discard", `thin ${this.number}`, "EOPNOTSUPP");
    if (mode !== "rw" && mode !== "out_of_data_space") throw refusal("discard", `thin ${this.number}`, "EIO");
    const { chunkBytes } = metadata;
    for (const [chunk, block] of metadata.mapping(this.number)) {
      if (chunk * chunkBytes < offset || (chunk + 1) * chunkBytes > offset + length) continue;
      if (features.discardPassdown && !metadata.isShared(block)) data.discard(this.#at(block), chunkBytes);
      metadata.map(this.number, chunk, undefined);
    }
    this.#pool.commit();
  }

  flush(): void {
    this.#requireRunning();
    const { mode } = this.#pool;
    if (mode !== "rw" && mode !== "out_of_data_space") throw refusal("flush", `thin ${this.number}`, "EIO");
    this.#pool.commit();
  }

  override destroy(): void {
    this.#pool.opened.set(this.number, (this.#pool.opened.get(this.number) ?? 1) - 1);
    this.#closePool();
  }

  /** Where a chunk is written: a new block the first time, a copy while it is shared. */
  #blockToWrite(chunk: number): number {
    const { metadata, data, features, mode } = this.#pool;
    const old = metadata.mapping(this.number).get(chunk);
    if (mode === "Fail") throw refusal("write", `thin ${this.number}`, "EIO");
    if (old !== undefined && !metadata.isShared(old)) return old;
    const block = this.#pool.allocate();
    if (old !== undefined) data.write(this.#at(block), data.read(this.#at(old), metadata.chunkBytes));
    else if (features.zeroNewBlocks) data.discard(this.#at(block), metadata.chunkBytes);
    metadata.map(this.number, chunk, block);
    return block;
  }

  #at(block: number): number {
    return block * this.#pool.metadata.chunkBytes;
  }

  #requireRunning(): void {
    if (this.#pool.mode === "Fail") throw refusal("input/output", `thin ${this.number}`, "EIO");
    if (this.#pool.suspended) throw new WouldWait("the pool is suspended", this.#pool.changed.promise);
  }

  #each(offset: number, length: number, visit: (chunk: number, within: number, count: number) => void): void {
    const { chunkBytes } = this.#pool.metadata;
    for (let at = offset; at < offset + length;) {
      const within = at % chunkBytes;
      const count = Math.min(chunkBytes - within, offset + length - at);
      visit(Math.floor(at / chunkBytes), within, count);
      at += count;
    }
  }
}
