import type { BlockDevice } from "./disk.ts";
import { refusal } from "./errno.ts";
import { FILES_AT, readHeader, readTable, writeHeader, writeTable, type Extent, type ImageHeader } from "./filesystem-image.ts";
import { PAGE_BYTES } from "./pages.ts";

/** A filesystem in the kernel's memory: what was written and has not reached its device is only here. */
export class MountedFilesystem {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  readonly #close: () => void;
  /** Told when nobody uses it any more. */
  readonly #onEnd: () => void;
  readonly #users = new Set<symbol>();
  readonly #unwritten = new Map<string, Buffer | "removed">();
  #header: ImageHeader;
  #files: Map<string, Extent>;
  xfsRetries: number | "default" = "default";

  constructor(device: BlockDevice, header: ImageHeader, readOnly: boolean, onEnd: () => void) {
    this.device = device;
    this.readOnly = readOnly;
    this.#header = header;
    this.#files = readTable(device);
    this.#onEnd = onEnd;
    this.#close = device.open();
    if (!readOnly) this.#mark(true);
  }

  get header(): ImageHeader {
    return this.#header;
  }

  /** Keeps it in use, by a mount or an open file. The last to let go writes out what is unwritten, as far as the device takes it. */
  use(): () => void {
    const user = Symbol("user");
    this.#users.add(user);
    return () => {
      if (this.#users.delete(user) && this.#users.size === 0) this.#end();
    };
  }

  /** While its device is suspended, who writes waits, even for memory. */
  requireThawed(): void {
    if (!this.readOnly) this.device.requireRunning();
  }

  /** ENOSPC when the filesystem itself is full; a full pool is noticed only when it is written out. */
  writeFile(path: string, data: Buffer): void {
    if (this.readOnly) throw refusal("write", path, "EROFS");
    const before = this.readFile(path)?.length ?? 0;
    if (this.usedBytes - before + data.length > this.#header.sizeBytes) throw refusal("write", path, "ENOSPC");
    this.#unwritten.set(path, Buffer.from(data));
  }

  /** undefined when there is no such file. */
  readFile(path: string): Buffer | undefined {
    const memory = this.#unwritten.get(path);
    if (memory !== undefined) return memory === "removed" ? undefined : Buffer.from(memory);
    const extent = this.#files.get(path);
    return extent === undefined ? undefined : this.device.read(extent.offset, extent.length);
  }

  removeFile(path: string): void {
    if (this.readOnly) throw refusal("unlink", path, "EROFS");
    this.#unwritten.set(path, "removed");
  }

  get files(): readonly string[] {
    const names = new Set([...this.#files.keys(), ...this.#unwritten.keys()]);
    return [...names].filter((name) => this.#unwritten.get(name) !== "removed").toSorted();
  }

  get usedBytes(): number {
    const lengths = this.files.map((path) => {
      const memory = this.#unwritten.get(path);
      return memory instanceof Buffer ? memory.length : (this.#files.get(path)?.length ?? 0);
    });
    return lengths.reduce((sum, length) => sum + length, FILES_AT);
  }

  /** Brings all that is unwritten to the device. May have to be called again after waiting: nothing is forgotten before it is there. */
  writeOut(): void {
    if (this.readOnly) return;
    const files = new Map(this.#files);
    for (const [path, data] of this.#unwritten) {
      if (data === "removed") files.delete(path);
      else files.set(path, this.#place(files, data));
    }
    writeTable(this.device, files);
    this.device.flush();
    this.#files = files;
    this.#unwritten.clear();
  }

  /** As before a suspend: all written out, and clean, so that a snapshot needs no replay. */
  freeze(): void {
    this.writeOut();
    if (!this.readOnly) this.#mark(false);
  }

  /** Fills the device, when it has become larger. */
  grow(): void {
    this.#header = { ...this.#header, sizeBytes: this.device.sizeBytes };
    writeHeader(this.device, this.#header);
    this.device.flush();
  }

  /** Gives back what no file on the device has; answers how much that is. */
  trim({ from, to }: { readonly from: number; readonly to: number }): number {
    const taken = [...this.#files.values()].toSorted((left, right) => left.offset - right.offset);
    const ends = [...taken.map(({ offset }) => offset), this.#header.sizeBytes];
    const starts = [FILES_AT, ...taken.map(({ offset, length }) => Math.ceil((offset + length) / PAGE_BYTES) * PAGE_BYTES)];
    let trimmed = 0;
    for (const [index, start] of starts.entries()) {
      const [first, last] = [Math.max(start, from), Math.min(ends[index] ?? 0, to)];
      if (last <= first) continue;
      this.device.discard(first, last - first);
      trimmed += last - first;
    }
    return trimmed;
  }

  #mark(dirty: boolean): void {
    this.#header = { ...this.#header, dirty };
    writeHeader(this.device, this.#header);
    this.device.flush();
  }

  /** Writes to where neither the old files nor the new ones are. */
  #place(files: ReadonlyMap<string, Extent>, data: Buffer): Extent {
    const taken = [...this.#files.values(), ...files.values()].filter(({ length }) => length > 0).toSorted((left, right) => left.offset - right.offset);
    const room = Math.ceil(data.length / PAGE_BYTES) * PAGE_BYTES;
    let offset = FILES_AT;
    for (const extent of taken) {
      if (extent.offset - offset >= room) break;
      offset = Math.max(offset, Math.ceil((extent.offset + extent.length) / PAGE_BYTES) * PAGE_BYTES);
    }
    if (offset + room > this.#header.sizeBytes) throw refusal("write", "file", "ENOSPC");
    const padded = Buffer.alloc(room);
    data.copy(padded);
    this.device.write(offset, padded);
    return { offset, length: data.length };
  }

  /** The kernel does not wait for a filesystem that cannot be written: what it holds is lost. */
  #end(): void {
    try {
      this.freeze();
    } catch {
      this.#unwritten.clear();
    }
    this.#close();
    this.#onEnd();
  }
}

/** What can be mounted, or the reason why not, in mount's words. */
export function mountable(device: BlockDevice, type: string): ImageHeader | string {
  const header = readHeader(device);
  if (header === undefined || header.type !== type || header.state === "half") return "wrong fs type, bad option, bad superblock";
  return header.sizeBytes > device.sizeBytes ? "bad geometry: the filesystem is larger than its device" : header;
}
