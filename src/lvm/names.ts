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

/** The kernel's uuid of a logical volume starts so; what LVM keeps to itself has an end such as "-tpool" after it. */
export const kernelUuid = (groupUuid: string, volumeUuid: string): string => `LVM-${undashed(groupUuid)}${undashed(volumeUuid)}`;

const doubled = (name: string): string => name.replaceAll("-", "--");
const undashed = (uuid: string): string => uuid.replaceAll("-", "");
