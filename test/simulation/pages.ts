export const PAGE_BYTES = 4096;
const ZEROES = Buffer.alloc(PAGE_BYTES);

/** Pages of one repeated byte are kept once, so that filling a pool costs no memory. */
const uniform = new Map<number, Buffer>();

function compact(page: Buffer): Buffer {
  const first = page[0] ?? 0;
  const kept = uniform.get(first) ?? Buffer.alloc(PAGE_BYTES, first);
  uniform.set(first, kept);
  return page.equals(kept) ? kept : page;
}

/** Sparse bytes: what was never written, or was discarded, reads as zeroes. Offsets and lengths in bytes. */
export class Pages {
  readonly #pages = new Map<number, Buffer>();

  read(offset: number, length: number): Buffer {
    const result = Buffer.alloc(length);
    this.#each(offset, length, (index, within, done, count) => {
      this.#pages.get(index)?.copy(result, done, within, within + count);
    });
    return result;
  }

  write(offset: number, data: Buffer): void {
    this.#each(offset, data.length, (index, within, done, count) => {
      const page = Buffer.from(this.#pages.get(index) ?? ZEROES);
      data.copy(page, within, done, done + count);
      this.#pages.set(index, compact(page));
    });
  }

  discard(offset: number, length: number): void {
    for (let index = Math.ceil(offset / PAGE_BYTES); (index + 1) * PAGE_BYTES <= offset + length; index++) this.#pages.delete(index);
  }

  #each(offset: number, length: number, visit: (index: number, within: number, done: number, count: number) => void): void {
    for (let done = 0; done < length;) {
      const within = (offset + done) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - within, length - done);
      visit(Math.floor((offset + done) / PAGE_BYTES), within, done, count);
      done += count;
    }
  }
}
