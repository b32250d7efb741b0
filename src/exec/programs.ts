/** Every external program that the driver runs, and the Debian package that has it. */
const PACKAGES = {
  "mkfs.ext4": "e2fsprogs",
  e2fsck: "e2fsprogs",
  resize2fs: "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  xfs_growfs: "xfsprogs",
  xfs_repair: "xfsprogs",
  btrfs: "btrfs-progs",
  btrfstune: "btrfs-progs",
  "mkfs.btrfs": "btrfs-progs",
  blkid: "util-linux",
  wipefs: "util-linux",
  losetup: "mount",
  mount: "mount",
  umount: "mount",
  dmsetup: "dmsetup", // by dead-man.sh
  lvm: "lvm2",
  grep: "grep",
  thin_check: "thin-provisioning-tools",
  thin_dump: "thin-provisioning-tools",
  thin_ls: "thin-provisioning-tools",
  thin_repair: "thin-provisioning-tools",
} as const satisfies Readonly<Record<string, string>>;

export type Program = keyof typeof PACKAGES;
export const PROGRAMS = Object.keys(PACKAGES) as readonly Program[];

/** The Debian package that has the program; its own name for one that is not in the table. */
export const packageOf = (program: string): string => (Object.hasOwn(PACKAGES, program) ? PACKAGES[program as Program] : program);
