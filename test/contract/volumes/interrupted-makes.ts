import { closeSync, constants, fsyncSync, openSync, writeSync } from "node:fs";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { MiB } from "../../../src/units.ts";
import { programFailed } from "../../simulation/errno.ts";

const KEPT_BYTES = 4096;
const BTRFS_SUPERBLOCK_AT = 64 * 1024;

/**
 * Filesystems on which a mkfs can be ended half way: blkid then knows the type by its superblock, and nothing else is
 * there. A real mkfs that is killed leaves the same now and then only, which no test could wait for.
 */
export function interruptible(filesystems: Filesystems): { readonly filesystems: Filesystems; readonly interruptNext: () => void } {
  let next = false;
  const make: Filesystems["make"] = async (type, device, options, signal) => {
    await filesystems.make(type, device, options, signal);
    if (!next) return;
    next = false;
    wreck(device);
    throw programFailed([`mkfs.${type}`, device], 137, "Killed");
  };
  const interrupted = new Proxy(filesystems, {
    get: (target, name: keyof Filesystems) => {
      if (name === "make") return make;
      const method = target[name];
      return method.bind(target);
    },
  });
  return { filesystems: interrupted, interruptNext: () => void (next = true) };
}

/** Zeroes the first 16 MiB, save where superblocks are. */
export function wreck(device: string): void {
  const fd = openSync(device, constants.O_RDWR);
  zero(fd, KEPT_BYTES, BTRFS_SUPERBLOCK_AT);
  zero(fd, BTRFS_SUPERBLOCK_AT + KEPT_BYTES, 16 * MiB);
  fsyncSync(fd);
  closeSync(fd);
}

const zero = (fd: number, from: number, to: number): void => void writeSync(fd, Buffer.alloc(to - from), 0, to - from, from);
