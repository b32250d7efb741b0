import type { Bytes, Sectors } from "../units.ts";

/** One line of a device's table: `start` and `length` in sectors, the target's name, and its parameters as text. */
export interface Target {
  readonly start: Sectors;
  readonly length: Sectors;
  readonly type: string;
  readonly parameters: string;
}

/** A target's status: the same shape, with status text where the table has parameters. */
export interface TargetStatus {
  readonly start: Sectors;
  readonly length: Sectors;
  readonly type: string;
  readonly status: string;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface ListedDevice extends DeviceNumber {
  readonly name: string;
  /** Empty for a device that was given none. */
  readonly uuid: string;
}

export interface DeviceInfo extends ListedDevice {
  readonly suspended: boolean;
  readonly readOnly: boolean;
  readonly hasActiveTable: boolean;
  readonly hasInactiveTable: boolean;
  readonly deferredRemove: boolean;
  readonly openCount: number;
  readonly eventNumber: number;
}

export interface DeviceMapperVersions {
  /** Of the ioctl interface, such as "4.50.0". */
  readonly interface: string;
  /** Of each target that is loaded, such as "thin-pool": "1.23.0". */
  readonly targets: ReadonlyMap<string, string>;
}

/**
 * The kernel's device-mapper, a function a verb, no policy. Devices are named by uuid, so that nothing but the device
 * that was meant is ever touched. All calls are synchronous and may block: they belong in a pool's worker.
 * Failures are DmthinError "kernel-failed" with the errno's name: EEXIST, EBUSY, ENXIO (no such device), ENODATA (thin number unknown).
 * Source: include/uapi/linux/dm-ioctl.h.
 */
export interface DeviceMapper {
  versions(): DeviceMapperVersions;
  list(): readonly ListedDevice[];
  /** undefined when there is no such device. */
  info(uuid: string): DeviceInfo | undefined;
  /** A device without a table. EBUSY when name or uuid is taken. */
  create(name: string, uuid: string): DeviceInfo;
  /** Loads the inactive table; `resume` makes it the active one. The kernel accepts some tables here that it refuses at resume. */
  load(uuid: string, table: readonly Target[], options?: { readonly readOnly?: boolean }): void;
  /** Drops the inactive table. */
  clear(uuid: string): void;
  /** Without options: flushes what is under way and freezes a filesystem on top. Never call that on a thin device here: see SlowCalls. */
  suspend(uuid: string, options?: { readonly noFlush?: boolean; readonly skipFreeze?: boolean }): void;
  resume(uuid: string): void;
  /** EBUSY while open, unless deferred: then the kernel removes it when its last user closes it. */
  remove(uuid: string, options?: { readonly deferred?: boolean }): void;
  /** Sends a message to the target at sector 0; answers its text, mostly empty. */
  message(uuid: string, text: string): string;
  table(uuid: string): readonly Target[];
  /** `noFlush` answers from memory; without it a pool commits its metadata first, so that the figures are exact. */
  status(uuid: string, options?: { readonly noFlush?: boolean }): readonly TargetStatus[];
}

/**
 * Calls that can wait in the kernel for as long as a disk does. Each runs in a thread beside the caller's, which is
 * given up when the deadline passes: the call itself goes on, and `outcome` tells when it has ended after all.
 */
export interface SlowCalls {
  /** Flushes, and freezes the filesystem on top: what precedes a snapshot of a device in use. */
  suspend(uuid: string, deadlineMs: number): SlowCall;
  /** Gives a range of a block device back. EOPNOTSUPP where the device cannot. */
  discard(devicePath: string, from: Bytes, length: Bytes, deadlineMs: number): SlowCall;
  /** Writes out what the filesystem mounted at the path holds in memory. */
  syncFilesystem(mountPoint: string, deadlineMs: number): SlowCall;
  /** Ends the threads that are idle; what hangs in the kernel stays until the kernel lets go. */
  close(): Promise<void>;
}

export interface SlowCall {
  /** Ends with the call; rejects with "deadline" when that comes first. */
  readonly done: Promise<void>;
  /** Ends with the call itself, however late. Never rejects. */
  readonly outcome: Promise<{ readonly error: Error | undefined }>;
}
