import { parseArgs } from "node:util";
import { parseSize } from "./disk.ts";

export const USAGE = `usage: npm run lab -- [options] [COMMAND [ARGUMENTS]]

Runs a command, or else a shell, in a guest with a real kernel (dm-thin, LVM, loop, ext4, xfs, btrfs), in this checkout's folder,
and hands back its exit code. The guest's files are fresh each time; this checkout is the real one.

  --disk SIZE    a scratch disk, such as 8G; may be repeated; LAB_DISKS names them (/dev/ubdb /dev/ubdc ...)
  --memory SIZE  the guest's memory (2G)
  --udev         run udevd in the guest, as every user's host does
  --native       no guest: run on this machine's own kernel, as root, where no dmthin is in use
  --help         this text`;

export interface LabArguments {
  readonly disks: readonly string[];
  readonly memory: string;
  readonly udev: boolean;
  readonly native: boolean;
  readonly help: boolean;
  readonly command: readonly string[];
}

/** Options come before the command; what follows it is the command's own. */
export function parseLabArguments(argv: readonly string[]): LabArguments {
  const withValue = new Set(["--disk", "--memory"]);
  let index = 0;
  while (argv[index]?.startsWith("-")) {
    if (argv[index] === "--") break;
    index += withValue.has(argv[index] ?? "") ? 2 : 1;
  }
  const { values } = parseArgs({
    args: argv.slice(0, index),
    options: {
      disk: { type: "string", multiple: true, default: [] },
      memory: { type: "string", default: "2G" },
      udev: { type: "boolean", default: false },
      native: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  for (const size of [...values.disk, values.memory]) parseSize(size);
  const { disk: disks, memory, udev, native, help } = values;
  const command = argv.slice(argv[index] === "--" ? index + 1 : index);
  return { disks, memory, udev, native, help, command: command.length === 0 ? ["bash"] : command };
}
