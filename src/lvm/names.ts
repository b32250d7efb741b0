/** Beside a pool its two devices, by LVM's own names for them. Source: lvmthin(7). */
const POOL_DEVICES = ["_tdata", "_tmeta", ""] as const;

/** The kernel's name of a logical volume: hyphens are doubled, so that the one in the middle is alone. Source: lvm(8), "Naming". */
export const kernelName = (group: string, volume: string): string => `${doubled(group)}-${doubled(volume)}`;

/** The kernel's names of a thin pool and what it lies on, bottom up. `-tpool` is there only where LVM has thin volumes of its own. */
export const poolKernelNames = (group: string, pool: string): readonly string[] => [
  ...POOL_DEVICES.map((end) => kernelName(group, `${pool}${end}`)),
  `${kernelName(group, pool)}-tpool`,
];

/** Whether LVM made a kernel device: its uuids say so. */
export const isMadeByLvm = ({ uuid }: { readonly uuid: string }): boolean => uuid.startsWith("LVM-");

/** A thin pool's own device, and its two parts, have an end to their uuids. Source: lvm2, lib/misc/lvm-string.c. */
export type UuidEnd = "" | "-tpool" | "-tdata" | "-tmeta";

/** The kernel's uuid of a logical volume. */
export const kernelUuid = ({ groupUuid, uuid }: { readonly groupUuid: string; readonly uuid: string }, end: UuidEnd): string =>
  `LVM-${undashed(groupUuid)}${undashed(uuid)}${end}`;

const doubled = (name: string): string => name.replaceAll("-", "--");
const undashed = (uuid: string): string => uuid.replaceAll("-", "");
