import type { Bytes } from "../units.ts";

export const FILESYSTEM_TYPES = ["ext4", "xfs", "btrfs"] as const;
export type FilesystemType = (typeof FILESYSTEM_TYPES)[number];

/** What blkid sees on a device: nothing it knows is `undefined`, which is never taken for "empty". */
export interface Probed {
  /** "ext4", "xfs", "btrfs", "LVM2_member", "swap", …; "partition table" where there is one. */
  readonly type: string;
  readonly uuid: string | undefined;
}

export interface Mount {
  readonly target: string;
  /** The path within the mounted filesystem that is seen at the target: "/" for a plain mount, "/dm-3" for a bound device node. */
  readonly root: string;
  readonly major: number;
  readonly minor: number;
  readonly type: string;
  readonly readOnly: boolean;
  /** Of mount and filesystem together, "key" or "key=value". */
  readonly options: readonly string[];
}

export interface Usage {
  readonly totalBytes: Bytes;
  readonly usedBytes: Bytes;
  readonly availableBytes: Bytes;
  readonly totalInodes: number;
  readonly usedInodes: number;
  readonly freeInodes: number;
}

export interface MountRequest {
  readonly device: string;
  readonly target: string;
  readonly type: FilesystemType;
  readonly readOnly: boolean;
  /** The user's; what the type needs (`nouuid` for xfs, `noload` for a dirty read-only ext4) is added here. */
  readonly options: readonly string[];
}

/**
 * Everything done to filesystems and mounts, on the node itself. Programs are ended with `signal` or at their deadline.
 * Failures are DmthinError "program-failed", or "path-unusable".
 * Callers compare the device's uuid with the one they mean just before `make`, `mount` and `bind`.
 */
export interface Filesystems {
  /** undefined: nothing known is on it; it may hold anything all the same. Starts a program only for what is none of our filesystems. */
  probe(device: string, signal?: AbortSignal): Promise<Probed | undefined>;
  /** What is wrong with options for mkfs, a sentence each, as far as it can be told without a device. */
  mkfsProblems(type: FilesystemType, options: readonly string[]): readonly string[];
  /** How large the filesystem on the device says that it is; undefined where there is none of ours. */
  sizeOf(device: string): Promise<Bytes | undefined>;
  /** Formats; `options` one argument each, after those the type needs on this kernel. */
  make(type: FilesystemType, device: string, options: readonly string[], signal?: AbortSignal): Promise<void>;
  /** As the distribution checks at boot: repairs what is safe to repair; "program-failed" when a person is needed, "kernel-failed" with EBUSY when it is in use. */
  check(type: FilesystemType, device: string, signal?: AbortSignal): Promise<void>;
  /** A new identity for a btrfs clone that was never mounted; nothing to do for others. */
  renewIdentity(type: FilesystemType, device: string, signal?: AbortSignal): Promise<void>;
  mount(request: MountRequest, signal?: AbortSignal): Promise<void>;
  /** Binds a directory or a device node onto an existing target of the same kind. */
  bind(source: string, target: string, options: { readonly readOnly: boolean; readonly mountOptions?: readonly string[] }, signal?: AbortSignal): Promise<void>;
  /** Plain first; when busy, logs who holds it as far as can be seen and detaches it (MNT_DETACH). Nothing mounted there is success. */
  unmount(target: string, signal?: AbortSignal): Promise<"not-mounted" | "unmounted" | "detached">;
  /** Grows the mounted filesystem to its device. Nothing to grow is success. */
  grow(type: FilesystemType, device: string, mountPoint: string, signal?: AbortSignal): Promise<void>;
  /**
   * Gives the blocks between `from` and `to` that the mounted filesystem does not use back to its device; answers how
   * much that was. btrfs is trimmed as a whole, by the part that begins at 0. A call that was given up goes on.
   */
  trim(type: FilesystemType, mountPoint: string, part: { readonly from: Bytes; readonly to: Bytes }, deadlineMs: number): Promise<Bytes>;
  /** How often xfs tries again to write metadata to a full pool: a count, or "default" for the kernel's own (for ever). */
  setXfsNospaceRetries(major: number, minor: number, retries: number | "default"): Promise<void>;
  /** The smallest device that the type can be made on. */
  minimumBytes(type: FilesystemType): Bytes;
  /** All mounts of this process's namespace, in mount order; several may stack on one target. */
  mounts(): Promise<readonly Mount[]>;
  /** statfs in a disposable thread: "deadline" when the filesystem does not answer. */
  usage(path: string, deadlineMs: number): Promise<Usage>;
  /** The device behind major:minor as sysfs has it; undefined when gone. Never blocks, also when it is suspended. */
  deviceIdentity(major: number, minor: number): Promise<{ readonly uuid: string; readonly suspended: boolean } | undefined>;
  /** Makes a mount target: a directory, or an empty file for a device node. Existing is success. */
  makeTarget(path: string, kind: "directory" | "file"): Promise<void>;
  /** Removes an empty mount target; gone is success. */
  removeTarget(path: string): Promise<void>;
}
