import { bytes, MiB } from "../units.ts";
import type { TypeOfFilesystem } from "./filesystem-type.ts";
import { missingFrom, XFS_SWITCHES } from "./kernel-features.ts";
import { withoutNamed } from "./mkfs-options.ts";

/** Not checked before mounting: mounting replays the log, and xfs_repair refuses a log with something in it. */
export const xfs: TypeOfFilesystem = {
  /** mkfs.xfs refuses less. */
  minimumBytes: bytes(300 * MiB),
  // Not -N, which makes nothing, nor -c and -p, which name files. Source: mkfs.xfs(8).
  usage: { values: "bdilLmnrs", flags: "fKq" },
  makeArgv: (kernel, device, options) => {
    const off = missingFrom(kernel, XFS_SWITCHES).map(({ option, name }) => ({ option, items: [`${name}=0`] }));
    return ["mkfs.xfs", "-q", "-K", "-f", ...withoutNamed(off, options), device];
  },
  // A clone has its origin's uuid, and both may be mounted.
  mountOptions: ({ deviceReadOnly }) => (deviceReadOnly ? ["nouuid", "norecovery"] : ["nouuid"]),
  growArgv: (_device, mountPoint) => ["xfs_growfs", mountPoint],
};
