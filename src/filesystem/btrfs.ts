import { bytes, MiB } from "../units.ts";
import type { TypeOfFilesystem } from "./filesystem-type.ts";
import { BTRFS_SWITCHES, missingFrom } from "./kernel-features.ts";

/** Not checked before mounting: it is copy on write, and `btrfs check` is no tool for every start, as its manual says. */
export const btrfs: TypeOfFilesystem = {
  /** mkfs.btrfs refuses less: 114,294,784 bytes with its metadata kept twice. */
  minimumBytes: bytes(109 * MiB),
  // Not -r, which names a folder. Source: mkfs.btrfs(8).
  usage: {
    values: "bdlLmnORsU",
    flags: "fKMqv",
    long: {
      "byte-count": true,
      csum: true,
      checksum: true,
      data: true,
      "device-uuid": true,
      features: true,
      force: false,
      label: true,
      metadata: true,
      mixed: false,
      nodesize: true,
      nodiscard: false,
      quiet: false,
      "runtime-features": true,
      sectorsize: true,
      uuid: true,
      verbose: false,
    },
  },
  makeArgv: (kernel, device, options) => {
    // -O adds to what came before, and the later word wins.
    const off = missingFrom(kernel, BTRFS_SWITCHES).flatMap(({ option, name }) => [option, `^${name}`]);
    return ["mkfs.btrfs", "-q", "-K", "-f", ...off, ...options, device];
  },
  mountOptions: ({ deviceReadOnly }) => (deviceReadOnly ? ["rescue=nologreplay"] : []),
  growArgv: (_device, mountPoint) => ["btrfs", "filesystem", "resize", "max", mountPoint],
  // -m writes the superblocks only, where -u would rewrite every block.
  renewIdentityArgv: (device) => ["btrfstune", "-f", "-m", device],
};
