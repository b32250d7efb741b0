import type { DeviceNumber } from "../../src/devicemapper/device-mapper.ts";
import { Holders } from "./holders.ts";
import { Pages } from "./pages.ts";
import type { MetadataTrees } from "./thin-metadata.ts";

/** What can be read, written and opened: a disk, or a mapped device. Offsets and lengths in bytes. */
export interface BlockDevice extends DeviceNumber {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  read(offset: number, length: number): Buffer;
  write(offset: number, data: Buffer): void;
  discard(offset: number, length: number): void;
  /** Puts all that was written where a power cut cannot reach it. */
  flush(): void;
  /** Waits while it is suspended. */
  requireRunning(): void;
  /** Keeps it open until the answered function is called. */
  open(): () => void;
}

/** A disk in memory, which survives power cuts. */
export class SimulatedDisk implements BlockDevice {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly readOnly = false;
  readonly holders = new Holders();
  sizeBytes: number;
  /** The metadata of a pool, apart from its superblock, which is in the disk's bytes. */
  trees: MetadataTrees | undefined;
  readonly #pages = new Pages();

  constructor(path: string, { major, minor }: DeviceNumber, sizeBytes: number) {
    this.path = path;
    this.major = major;
    this.minor = minor;
    this.sizeBytes = sizeBytes;
  }

  read(offset: number, length: number): Buffer {
    return this.#pages.read(offset, length);
  }

  write(offset: number, data: Buffer): void {
    this.#pages.write(offset, data);
  }

  discard(offset: number, length: number): void {
    this.#pages.discard(offset, length);
  }

  flush(): void {}
  requireRunning(): void {}

  open(): () => void {
    return this.holders.open();
  }
}
