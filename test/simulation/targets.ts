import type { BlockDevice } from "./disk.ts";
import { refusal } from "./errno.ts";

/** What a table's line becomes in the kernel. Lengths in sectors, offsets in bytes from the target's start. */
export interface KernelTarget {
  readonly type: string;
  length: number;
  /** The line's parameters, as the kernel prints them back. */
  tableText(): string;
  statusText(options: { readonly flush: boolean }): string;
  message(text: string): string;
  read(offset: number, length: number): Buffer;
  write(offset: number, data: Buffer): void;
  discard(offset: number, length: number): void;
  flush(): void;
  /** Refuses what load could not see. Source: drivers/md/dm-table.c, preresume. */
  preresume(): void;
  /** Told when the device that it is the active table of is suspended or resumed. */
  suspended(now: boolean): void;
  destroy(): void;
}

/** Says no to messages and has nothing to prepare: what most targets do. */
export abstract class QuietTarget {
  message(text: string): string {
    throw refusal("message", text, "EINVAL");
  }

  preresume(): void {}
  suspended(_now: boolean): void {}
  destroy(): void {}
}

/** Fails everything. Source: drivers/md/dm-target.c. */
export class ErrorTarget extends QuietTarget implements KernelTarget {
  readonly type = "error";
  length: number;

  constructor(length: number) {
    super();
    this.length = length;
  }

  tableText = (): string => "";
  statusText = (): string => "";
  read = (): Buffer => this.#fail();
  write = (): void => void this.#fail();
  discard = (): void => void this.#fail();
  flush = (): void => void this.#fail();

  #fail(): never {
    throw refusal("input/output", "error target", "EIO");
  }
}

/** A range of another device. Source: drivers/md/dm-linear.c. */
export class LinearTarget extends QuietTarget implements KernelTarget {
  readonly type = "linear";
  length: number;
  readonly #device: BlockDevice;
  readonly #start: number;
  readonly #close: () => void;

  constructor(length: number, device: BlockDevice, startSector: number) {
    super();
    this.length = length;
    this.#device = device;
    this.#start = startSector;
    this.#close = device.open();
  }

  tableText = (): string => `${this.#device.major}:${this.#device.minor} ${this.#start}`;
  statusText = (): string => "";
  read = (offset: number, length: number): Buffer => this.#device.read(this.#start * 512 + offset, length);
  write = (offset: number, data: Buffer): void => this.#device.write(this.#start * 512 + offset, data);
  discard = (offset: number, length: number): void => this.#device.discard(this.#start * 512 + offset, length);
  flush = (): void => this.#device.flush();
  override destroy(): void {
    this.#close();
  }
}
