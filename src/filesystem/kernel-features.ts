/** major.minor of a kernel. */
export type KernelVersion = readonly [major: number, minor: number];

/** From `uname -r`: "6.1.0-18-amd64", "5.15.0-1051-aws". What cannot be read counts as the oldest that is supported. */
export function parseKernelRelease(release: string): KernelVersion {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match === null ? [5, 15] : [Number(match[1]), Number(match[2])];
}

export const isOlder = ([major, minor]: KernelVersion, [thanMajor, thanMinor]: KernelVersion): boolean =>
  major < thanMajor || (major === thanMajor && minor < thanMinor);

/** Something that mkfs may switch on by itself and that kernels before `since` cannot mount, or not yet well. */
export interface Switch {
  readonly option: string;
  readonly name: string;
  readonly since: KernelVersion;
}

/**
 * The oldest kernel supported is 5.15, so only what came later is listed. Source: the lts_*.conf files of xfsprogs 6.13,
 * which hold what each kernel was released with (nrext64 and the reverse mapping between 6.1 and 6.6: 6.5).
 */
export const XFS_SWITCHES: readonly Switch[] = [
  { option: "-i", name: "nrext64", since: [6, 5] },
  { option: "-m", name: "rmapbt", since: [6, 5] },
];

/** Source: `mkfs.btrfs -O list-all` of btrfs-progs 6.14, "compat". Newer ones switch it on by themselves. */
export const BTRFS_SWITCHES: readonly Switch[] = [{ option: "-O", name: "block-group-tree", since: [6, 1] }];

/** What has to be switched off by name for that kernel. mkfs.ext4 needs none: orphan_file, its newest, is 5.15's. */
export const missingFrom = (kernel: KernelVersion, switches: readonly Switch[]): readonly Switch[] => switches.filter(({ since }) => isOlder(kernel, since));
