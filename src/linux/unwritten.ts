import { readFileSync } from "node:fs";
import { bytes, KiB, type Bytes } from "../units.ts";

/** What this machine's page cache holds that its disks do not have yet: Dirty and Writeback. Source: proc_meminfo(5). */
export const unwrittenBytes = (): Bytes => parseUnwritten(readFileSync("/proc/meminfo", "utf8"));

export function parseUnwritten(meminfo: string): Bytes {
  const kibibytes = [...meminfo.matchAll(/^(?:Dirty|Writeback):\s+(\d+) kB$/gm)].map(([, count]) => Number(count));
  return bytes(kibibytes.reduce((sum, each) => sum + each, 0) * KiB);
}
