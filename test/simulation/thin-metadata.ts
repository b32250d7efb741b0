import { BYTES_PER_METADATA_BLOCK } from "../../src/units.ts";
import type { SimulatedDisk } from "./disk.ts";
import { refusal } from "./errno.ts";
import { decodeSuperblock, encodeSuperblock } from "./superblock.ts";

/** One thin device: its chunks and where they are on the data device. */
export interface ThinTree {
  readonly mapping: ReadonlyMap<number, number>;
  /** The pool's transaction id when it was made. */
  readonly transactionId: number;
}

/** What is on the metadata disk, as of the last commit. Never changed, only replaced. */
export interface MetadataTrees {
  readonly thins: ReadonlyMap<number, ThinTree>;
  readonly held: ReadonlyMap<number, ThinTree> | undefined;
  readonly dataBlocks: number;
  /** Found damaged by thin_check. */
  readonly damaged: boolean;
}

interface WorkingThin {
  mapping: Map<number, number>;
  readonly transactionId: number;
  /** Whether the mapping is this thin's alone, and not yet on disk. */
  own: boolean;
}

const HIGHEST_NUMBER = 2 ** 24 - 1;
const HELD_ROOT = 15;
/** Superblock and space maps of an empty pool. */
const BASE_BLOCKS = 8;
const MAPPINGS_PER_BLOCK = 126;

/** A pool's metadata while it is in use: what was committed, and what was changed since. Source: drivers/md/dm-thin-metadata.c. */
export class ThinMetadata {
  readonly chunkBytes: number;
  transactionId = 0;
  needsCheck = false;
  held: ReadonlyMap<number, ThinTree> | undefined;
  dataBlocks = 0;
  metadataBlocks: number;
  readonly #disk: SimulatedDisk;
  readonly #thins = new Map<number, WorkingThin>();
  readonly #references = new Map<number, number>();
  readonly #freedSinceCommit = new Set<number>();
  #cursor = 0;
  #dirty = false;

  /** Formats a blank disk in silence, as the kernel does. EINVAL for another chunk size, EIO for what is no pool's metadata. */
  constructor(disk: SimulatedDisk, chunkBytes: number) {
    this.#disk = disk;
    this.chunkBytes = chunkBytes;
    const superblock = decodeSuperblock(disk.read(0, BYTES_PER_METADATA_BLOCK));
    if (superblock === "foreign") throw refusal("table load", disk.path, "EILSEQ");
    this.metadataBlocks = Math.floor(disk.sizeBytes / BYTES_PER_METADATA_BLOCK);
    if (superblock === "blank" || disk.trees === undefined) {
      this.#dirty = true;
      this.commit();
      return;
    }
    if (superblock.chunkSectors * 512 !== chunkBytes) throw refusal("table load", disk.path, "EINVAL");
    this.transactionId = superblock.transactionId;
    this.needsCheck = superblock.needsCheck;
    this.metadataBlocks = superblock.metadataBlocks;
    this.held = disk.trees.held;
    this.dataBlocks = disk.trees.dataBlocks;
    for (const [number, tree] of disk.trees.thins) this.#adopt(number, tree);
  }

  get heldRoot(): number | undefined {
    return this.held === undefined ? undefined : HELD_ROOT;
  }

  get usedDataBlocks(): number {
    return this.#references.size;
  }

  /** Of the metadata device, the part that the kernel holds back included. */
  get usedMetadataBlocks(): number {
    const reserve = Math.min(4096, Math.floor(this.metadataBlocks / 10));
    const mappings = new Set([...this.#thins.values()].map(({ mapping }) => mapping));
    let blocks = BASE_BLOCKS + this.#thins.size;
    for (const mapping of mappings) blocks += Math.ceil(mapping.size / MAPPINGS_PER_BLOCK);
    return Math.min(reserve + blocks, this.metadataBlocks);
  }

  has(number: number): boolean {
    return this.#thins.has(number);
  }

  mapping(number: number): ReadonlyMap<number, number> {
    return this.#thin(number, "thin device").mapping;
  }

  isShared(dataBlock: number): boolean {
    return (this.#references.get(dataBlock) ?? 0) > 1;
  }

  create(number: number): void {
    this.#newNumber(number, "create_thin");
    this.#thins.set(number, { mapping: new Map(), transactionId: this.transactionId, own: true });
    this.#dirty = true;
  }

  snapshot(number: number, origin: number): void {
    this.#newNumber(number, "create_snap");
    const source = this.#thin(origin, "create_snap");
    source.own = false;
    this.#adopt(number, { mapping: source.mapping, transactionId: this.transactionId });
    this.#dirty = true;
  }

  delete(number: number): void {
    for (const block of this.#thin(number, "delete").mapping.values()) this.#release(block);
    this.#thins.delete(number);
    this.#dirty = true;
  }

  /** A free data block; undefined when there is none. What was freed since the last commit may still be needed after a power cut. */
  allocate(): number | undefined {
    for (let tried = 0; tried < this.dataBlocks; tried++) {
      const block = (this.#cursor + tried) % this.dataBlocks;
      if (this.#references.has(block) || this.#freedSinceCommit.has(block)) continue;
      this.#cursor = block + 1;
      return block;
    }
    if (this.#freedSinceCommit.size === 0) return undefined;
    this.commit();
    return this.allocate();
  }

  /** Maps a chunk to a data block, or to none. */
  map(number: number, chunk: number, block: number | undefined): void {
    const thin = this.#thin(number, "mapping");
    if (!thin.own) thin.mapping = new Map(thin.mapping);
    thin.own = true;
    const before = thin.mapping.get(chunk);
    if (before !== undefined) this.#release(before);
    if (block === undefined) thin.mapping.delete(chunk);
    else thin.mapping.set(chunk, block);
    if (block !== undefined) this.#references.set(block, (this.#references.get(block) ?? 0) + 1);
    this.#dirty = true;
  }

  /** Marks what stands beside the mappings (transaction id, sizes, flags) as changed. */
  touch(): void {
    this.#dirty = true;
  }

  commit(): void {
    if (!this.#dirty) return;
    for (const thin of this.#thins.values()) thin.own = false;
    const thins = new Map([...this.#thins].map(([number, { mapping, transactionId }]) => [number, { mapping, transactionId }]));
    this.#disk.trees = { thins, held: this.held, dataBlocks: this.dataBlocks, damaged: this.#disk.trees?.damaged ?? false };
    this.#disk.write(
      0,
      encodeSuperblock({
        needsCheck: this.needsCheck,
        transactionId: this.transactionId,
        heldRoot: this.heldRoot ?? 0,
        chunkSectors: this.chunkBytes / 512,
        metadataBlocks: this.metadataBlocks,
      }),
    );
    this.#freedSinceCommit.clear();
    this.#dirty = false;
  }

  #adopt(number: number, { mapping, transactionId }: ThinTree): void {
    this.#thins.set(number, { mapping: mapping as Map<number, number>, transactionId, own: false });
    for (const block of mapping.values()) this.#references.set(block, (this.#references.get(block) ?? 0) + 1);
  }

  #newNumber(number: number, operation: string): void {
    if (!Number.isInteger(number) || number < 0 || number > HIGHEST_NUMBER) throw refusal(operation, String(number), "EINVAL");
    if (this.#thins.has(number)) throw refusal(operation, String(number), "EEXIST");
  }

  #thin(number: number, operation: string): WorkingThin {
    const thin = this.#thins.get(number);
    if (thin === undefined) throw refusal(operation, String(number), "ENODATA");
    return thin;
  }

  #release(block: number): void {
    const left = (this.#references.get(block) ?? 0) - 1;
    if (left > 0) {
      this.#references.set(block, left);
      return;
    }
    this.#references.delete(block);
    this.#freedSinceCommit.add(block);
  }
}
