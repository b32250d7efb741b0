import type { DeviceMapper, DeviceNumber, SlowCalls } from "../../../src/devicemapper/device-mapper.ts";
import type { ThinTools } from "../../../src/devicemapper/thin-tools.ts";
import type { Bytes } from "../../../src/units.ts";

export interface Disk extends DeviceNumber {
  readonly path: string;
  readonly sizeBytes: Bytes;
}

/** Device-mapper with two blank disks: the simulated one, or the one of the kernel that this runs on. */
export interface KernelUnderTest {
  readonly dm: DeviceMapper;
  readonly slow: SlowCalls;
  readonly tools: ThinTools;
  readonly data: Disk;
  readonly metadata: Disk;
  /** Offsets in bytes. Rejects with "kernel-failed". What was written is on the device when it resolves. */
  readonly write: (path: string, offset: number, data: Buffer) => Promise<void>;
  readonly read: (path: string, offset: number, length: number) => Promise<Buffer>;
  /** Opens a device, until the answered function is called. */
  readonly hold: (path: string) => () => void;
  /** Zeroes the beginning of a disk. */
  readonly blank: (path: string) => void;
  /** Removes all devices that these tests made, and blanks the disks. */
  readonly clean: () => Promise<void>;
  readonly close: () => Promise<void>;
}
