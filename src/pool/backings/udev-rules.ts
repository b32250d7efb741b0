import { lvmKernelName, mangled } from "../../config/lvm-kernel-name.ts";
import type { PoolDescription } from "../../config/pool-description.ts";

/** A block device by an attribute in sysfs, or by its kernel name. `pattern` is a glob as udev and fnmatch(3) take it. */
export interface DeviceMatch {
  readonly attribute: "dm/uuid" | "dm/name" | "loop/backing_file" | "kernel-name";
  readonly pattern: string;
}

/**
 * Rules that keep the host's udev from looking into what volumes hold: no blkid, so no links by the UUIDs and labels that
 * tenants choose, no LVM, md, btrfs or bcache by their signatures, no look after each write.
 *
 * Distributions number device-mapper's own rules from 10 (upstream, Fedora) or 55 (Debian): this file comes after the ones
 * and before the others, so it sets each flag in the spelling that the later ones take over, too.
 */
export const udevRules = (matches: readonly DeviceMatch[]): string =>
  [
    "# Written by dmthin at its start, for this boot. What its volumes hold is their users' own: this host does not look into it.",
    'SUBSYSTEM!="block", GOTO="dmthin_end"',
    'ACTION=="remove", GOTO="dmthin_end"',
    ...matches.map((match) => `${key(match)}=="${match.pattern}", GOTO="dmthin_ours"`),
    'GOTO="dmthin_end"',
    'LABEL="dmthin_ours"',
    // Names of ours are nobody's path: no links below /dev/mapper.
    `${key(OURS)}=="${OURS.pattern}", ENV{DM_UDEV_DISABLE_DM_RULES_FLAG}="1"`,
    ...FLAGS.map((flag) => `ENV{${flag}}="1"`),
    'OPTIONS:="nowatch"',
    'LABEL="dmthin_end"',
    "",
  ].join("\n");

/**
 * Our own devices, and those through which a tenant's first chunk can be read: a pool's data device begins with it, and so
 * does LVM's device of a pool. `kernelName` knows which disk a path of the description is now.
 */
export const tenantsDevices = (pools: readonly PoolDescription[], kernelName: (path: string) => string | undefined): readonly DeviceMatch[] => [
  OURS,
  ...pools.flatMap((pool) => beneath(pool, kernelName)),
];

const OURS: DeviceMatch = { attribute: "dm/uuid", pattern: "DMTHIN-?*" };

const FLAGS = [
  "DM_UDEV_DISABLE_DISK_RULES_FLAG",
  "DM_UDEV_DISABLE_OTHER_RULES_FLAG",
  "DM_COOKIE_DISABLE_OTHER_RULES_FLAG",
  "UDEV_DISABLE_PERSISTENT_STORAGE_BLKID_FLAG",
  "UDISKS_IGNORE",
] as const;

const key = ({ attribute }: DeviceMatch): string => (attribute === "kernel-name" ? "KERNEL" : `ATTR{${attribute}}`);

function beneath({ backing }: PoolDescription, kernelName: (path: string) => string | undefined): readonly DeviceMatch[] {
  switch (backing.kind) {
    case "loop":
      return [{ attribute: "loop/backing_file", pattern: literal(`${backing.directory}/data.img`) }];
    case "devices": {
      const name = kernelName(backing.data);
      return name === undefined ? [] : [{ attribute: "kernel-name", pattern: literal(name) }];
    }
    case "directLvm":
      return [{ attribute: "dm/name", pattern: `${literal(mangled(backing.volumeGroup))}-[!-]*` }];
    case "existing": {
      const [first = "", volume] = backing.pool.split("/");
      return [{ attribute: "dm/name", pattern: literal(volume === undefined ? first : lvmKernelName(first, volume)) }];
    }
  }
}

/** What could mean something to udev matches anything: to look away from too much in a folder of ours harms nobody. */
const literal = (text: string): string => text.replaceAll(/[^A-Za-z0-9/_.,:+@-]+/g, "*");
