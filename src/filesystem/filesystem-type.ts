import type { Run } from "../exec/run.ts";
import type { Bytes } from "../units.ts";
import type { KernelVersion } from "./kernel-features.ts";
import type { MkfsUsage } from "./mkfs-usage.ts";

export interface MountNeeds {
  readonly readOnly: boolean;
  /** The block device itself refuses writes, so that a dirty filesystem's journal cannot be replayed. */
  readonly deviceReadOnly: boolean;
}

/** What differs between the types. A new type is one more of these. */
export interface TypeOfFilesystem {
  /** The smallest device worth making it on. */
  readonly minimumBytes: Bytes;
  /** The options that users may give it. */
  readonly usage: MkfsUsage;
  /** Overwrites whatever is there, and discards nothing: a new thin device has nothing mapped. The user's `options` win over ours. */
  makeArgv(kernel: KernelVersion, device: string, options: readonly string[]): readonly string[];
  /** Added to the user's. */
  mountOptions(needs: MountNeeds): readonly string[];
  /** Online, to the size of the device. */
  growArgv(device: string, mountPoint: string): readonly string[];
  /** Absent where mounting itself puts right what a crash left, as for distributions' fsck.xfs and fsck.btrfs. */
  check?(device: string, run: Run, signal: AbortSignal | undefined): Promise<void>;
  /** Absent where two of one identity can be mounted side by side. */
  renewIdentityArgv?(device: string): readonly string[];
}
