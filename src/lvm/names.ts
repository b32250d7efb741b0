import { lvmKernelName } from "../config/lvm-kernel-name.ts";

/** Beside a pool its two devices, by LVM's own names for them. Source: lvmthin(7). */
const POOL_DEVICES = ["_tdata", "_tmeta", ""] as const;

/** The kernel's names of a thin pool and what it lies on, bottom up. `-tpool` is there only where LVM has thin volumes of its own. */
export const poolKernelNames = (group: string, pool: string): readonly string[] => [
  ...POOL_DEVICES.map((end) => lvmKernelName(group, `${pool}${end}`)),
  `${lvmKernelName(group, pool)}-tpool`,
];

/** Whether LVM made a kernel device: its uuids say so. */
export const isMadeByLvm = ({ uuid }: { readonly uuid: string }): boolean => uuid.startsWith("LVM-");

/** A thin pool's own device, and its two parts, have an end to their uuids. Source: lvm2, lib/misc/lvm-string.c. */
export type UuidEnd = "" | "-tpool" | "-tdata" | "-tmeta";

/** The kernel's uuid of a logical volume. */
export const kernelUuid = ({ groupUuid, uuid }: { readonly groupUuid: string; readonly uuid: string }, end: UuidEnd): string =>
  `LVM-${undashed(groupUuid)}${undashed(uuid)}${end}`;

const undashed = (uuid: string): string => uuid.replaceAll("-", "");
