import type { DeviceInfo } from "../../src/devicemapper/device-mapper.ts";
import type { BlockDevice } from "./disk.ts";
import { refusal } from "./errno.ts";
import { Holders } from "./holders.ts";
import type { KernelTarget } from "./targets.ts";
import { Wakeup, WouldWait } from "./waiting.ts";

export const DEVICE_MAPPER_MAJOR = 254;

export interface LoadedTable {
  readonly targets: readonly KernelTarget[];
  readonly readOnly: boolean;
}

/** A device-mapper device: two tables, a state, and who holds it open. Source: drivers/md/dm.c and dm-ioctl.c. */
export class MappedDevice implements BlockDevice {
  readonly name: string;
  readonly uuid: string;
  readonly major = DEVICE_MAPPER_MAJOR;
  readonly minor: number;
  readonly holders: Holders;
  readonly #gone: () => void;
  readonly #resumed = new Wakeup();
  /** The filesystem mounted on it, which a suspend freezes: told to write out what it holds. */
  freeze: (() => void) | undefined;
  suspended = false;
  deferredRemove = false;
  eventNumber = 0;
  readOnly = false;
  #active: LoadedTable | undefined;
  #inactive: LoadedTable | undefined;

  /** `gone` is told when the last user of a device that waits for removal has closed it. */
  constructor(identity: { readonly name: string; readonly uuid: string; readonly minor: number }, gone: () => void) {
    this.name = identity.name;
    this.uuid = identity.uuid;
    this.minor = identity.minor;
    this.#gone = gone;
    this.holders = new Holders(() => {
      if (this.deferredRemove && this.holders.count === 0) this.#gone();
    });
  }

  get path(): string {
    return `/dev/dm-${this.minor}`;
  }

  get targets(): readonly KernelTarget[] {
    return this.#active?.targets ?? [];
  }

  get sizeBytes(): number {
    return this.targets.reduce((sum, { length }) => sum + length * 512, 0);
  }

  info(): DeviceInfo {
    return {
      name: this.name,
      uuid: this.uuid,
      major: this.major,
      minor: this.minor,
      suspended: this.suspended,
      readOnly: this.readOnly,
      hasActiveTable: this.#active !== undefined,
      hasInactiveTable: this.#inactive !== undefined,
      deferredRemove: this.deferredRemove,
      openCount: this.holders.count,
      eventNumber: this.eventNumber,
    };
  }

  load(table: LoadedTable): void {
    this.clear();
    this.#inactive = table;
  }

  clear(): void {
    for (const target of this.#inactive?.targets ?? []) target.destroy();
    this.#inactive = undefined;
  }

  /** Writes out and freezes what is mounted on it, unless told not to; flushes, unless told not to. Suspended already is success. */
  suspend(options: { readonly noFlush: boolean; readonly skipFreeze: boolean }): void {
    if (this.suspended) return;
    if (!options.skipFreeze) this.freeze?.();
    if (!options.noFlush) this.#flushTargets();
    this.suspended = true;
    for (const target of this.targets) target.suspended(true);
  }

  resume(): void {
    const incoming = this.#inactive;
    if (incoming !== undefined) this.#swap(incoming);
    if (!this.suspended) return;
    if (this.#active === undefined) throw refusal("resume", this.name, "EINVAL");
    for (const target of this.targets) target.preresume();
    this.suspended = false;
    for (const target of this.targets) target.suspended(false);
    this.#resumed.wake();
  }

  /** EBUSY while open, unless deferred. Answers whether it goes now. */
  remove(deferred: boolean): boolean {
    if (this.holders.count === 0) return true;
    if (!deferred) throw refusal("remove", this.name, "EBUSY");
    this.deferredRemove = true;
    return false;
  }

  destroy(): void {
    this.clear();
    for (const target of this.targets) target.destroy();
    this.#active = undefined;
    this.#resumed.wake();
  }

  /** The power has gone: nothing of it is in any memory, and nothing was written on the way. */
  vanish(): void {
    this.holders.forget();
    this.#active = undefined;
    this.#inactive = undefined;
    this.freeze = undefined;
    this.#resumed.wake();
  }

  read(offset: number, length: number): Buffer {
    const { target, start } = this.#at(offset, length);
    return target.read(offset - start, length);
  }

  write(offset: number, data: Buffer): void {
    const { target, start } = this.#at(offset, data.length);
    if (this.readOnly) throw refusal("write", this.name, "EROFS");
    target.write(offset - start, data);
  }

  discard(offset: number, length: number): void {
    const { target, start } = this.#at(offset, length);
    target.discard(offset - start, length);
  }

  flush(): void {
    this.requireRunning();
    for (const target of this.targets) target.flush();
  }

  open(): () => void {
    return this.holders.open();
  }

  requireRunning(): void {
    if (this.suspended) throw new WouldWait(`${this.name} is suspended`, this.#resumed.promise);
  }

  #flushTargets(): void {
    for (const target of this.targets) {
      if (target.type === "thin-pool") target.flush();
    }
  }

  #swap(incoming: LoadedTable): void {
    const outgoing = this.#active;
    if (!this.suspended && outgoing !== undefined) this.suspend({ noFlush: false, skipFreeze: false });
    this.suspended = true;
    this.#active = incoming;
    this.#inactive = undefined;
    this.readOnly = incoming.readOnly;
    for (const target of outgoing?.targets ?? []) target.destroy();
  }

  #at(offset: number, length: number): { readonly target: KernelTarget; readonly start: number } {
    this.requireRunning();
    let start = 0;
    for (const target of this.targets) {
      if (offset < start + target.length * 512) {
        if (offset + length > start + target.length * 512) break;
        return { target, start };
      }
      start += target.length * 512;
    }
    throw refusal("input/output", this.name, "EIO");
  }
}
