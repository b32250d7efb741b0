import { glob, realpath } from "node:fs/promises";
import type { BackingDevice } from "./backing.ts";
import { findBlockDevice } from "./block-device.ts";

/** A disk that a pattern stands for. */
export interface NamedDisk extends BackingDevice {
  /** As it was written, or found by a pattern. */
  readonly name: string;
  /** Written out, not found by a pattern: then it is wanted, whatever it holds. */
  readonly isNamed: boolean;
}

export interface NamedDisks {
  /** Each once, however many names lead to it. */
  readonly disks: readonly NamedDisk[];
  /** Written out, and not there. */
  readonly missing: readonly string[];
}

const isPattern = (path: string): boolean => /[*?]/.test(path);

/** The block devices that paths and patterns name now: /dev/sdb, /dev/disk/by-id/nvme-*. `path` is the kernel's own name. */
export async function findDisks(patterns: readonly string[]): Promise<NamedDisks> {
  const disks = new Map<string, NamedDisk>();
  const missing: string[] = [];
  // Those that are written out first: what a pattern finds again is named all the same.
  for (const pattern of patterns.toSorted((left, right) => Number(isPattern(left)) - Number(isPattern(right)))) {
    const isNamed = !isPattern(pattern);
    for (const name of isNamed ? [pattern] : await matching(pattern)) {
      const path = await realpath(name).catch(() => name);
      const found = await findBlockDevice(path);
      const key = `${found?.major}:${found?.minor}`;
      if (found === undefined) missing.push(...(isNamed ? [name] : []));
      else if (!disks.has(key)) disks.set(key, { ...found, name, isNamed });
    }
  }
  return { disks: [...disks.values()], missing };
}

async function matching(pattern: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of glob(pattern)) found.push(path);
  return found.toSorted();
}
