import { refusal } from "./errno.ts";
import type { BlockDevice, SimulatedDisk } from "./disk.ts";
import type { PoolFeatures } from "./pool-features.ts";
import { ThinMetadata } from "./thin-metadata.ts";
import { Wakeup, WouldWait } from "./waiting.ts";

/** Source: drivers/md/dm-thin.c, enum pool_mode. "out_of_metadata" prints as "ro". */
export type PoolMode = "rw" | "out_of_data_space" | "out_of_metadata" | "ro" | "Fail";

/** A pool in the kernel's memory: shared by its tables, active and inactive, and by the thin devices on it. */
export class PoolState {
  readonly metadataDisk: SimulatedDisk;
  readonly data: BlockDevice;
  readonly metadata: ThinMetadata;
  /** How many tables have this thin device open. */
  readonly opened = new Map<number, number>();
  readonly changed = new Wakeup();
  /** What the active table asks for. */
  features: PoolFeatures;
  mode: PoolMode = "rw";
  /** Set when the 60 seconds of no_space_timeout have passed. */
  timedOut = false;
  suspended = false;
  onEvent: () => void = () => undefined;
  lowWaterMark = 0;
  #lowWaterTold = false;

  constructor(metadataDisk: SimulatedDisk, data: BlockDevice, chunkBytes: number, features: PoolFeatures) {
    this.metadataDisk = metadataDisk;
    this.data = data;
    this.features = features;
    this.metadata = new ThinMetadata(metadataDisk, chunkBytes);
    if (this.metadata.needsCheck) this.mode = "ro";
  }

  get errorsWhenFull(): boolean {
    return this.features.errorIfNoSpace || this.timedOut;
  }

  setMode(mode: PoolMode): void {
    if (mode !== "out_of_data_space") this.timedOut = false;
    if (mode !== this.mode) this.onEvent();
    this.mode = mode;
    this.changed.wake();
  }

  /** Commits, then looks whether what was freed or used changes the mode. Nothing is written in a mode that cannot. */
  commit(): void {
    if (this.mode !== "rw" && this.mode !== "out_of_data_space") return;
    const { metadata } = this;
    metadata.commit();
    if (metadata.usedMetadataBlocks >= metadata.metadataBlocks) this.setMode("out_of_metadata");
    else if (this.mode === "out_of_data_space" && metadata.usedDataBlocks < metadata.dataBlocks) this.setMode("rw");
  }

  /** A free data block for a write. ENOSPC, or waits, when there is none; EIO when the pool cannot be written. */
  allocate(): number {
    if (this.mode !== "rw" && this.mode !== "out_of_data_space") throw refusal("write", "thin pool", "EIO");
    if (this.metadata.usedMetadataBlocks >= this.metadata.metadataBlocks) {
      this.setMode("out_of_metadata");
      throw refusal("write", "thin pool", "EIO");
    }
    const block = this.metadata.allocate();
    if (block === undefined) throw this.#noSpace();
    const free = this.metadata.dataBlocks - this.metadata.usedDataBlocks - 1;
    if (free <= this.lowWaterMark && !this.#lowWaterTold) {
      this.#lowWaterTold = true;
      this.onEvent();
    }
    return block;
  }

  #noSpace(): Error {
    if (this.mode !== "out_of_data_space") this.setMode("out_of_data_space");
    return this.errorsWhenFull ? refusal("write", "thin pool", "ENOSPC") : new WouldWait("the pool is full", this.changed.promise);
  }

  /** The low water event comes once per resume. */
  resumed(): void {
    this.#lowWaterTold = false;
    this.changed.wake();
  }
}
