import { readFileSync } from "node:fs";
import { basename } from "node:path";

const SECTOR = 512;

/** What a disk has read and written since boot, zeroing included. Source: Documentation/block/stat.rst. */
export function counters(device: string): { readonly readBytes: number; readonly writtenBytes: number } {
  const fields = readFileSync(`/sys/block/${basename(device)}/stat`, "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  return { readBytes: (fields[2] ?? Number.NaN) * SECTOR, writtenBytes: (fields[6] ?? Number.NaN) * SECTOR };
}

/** The longest request that the disk takes: longer ones are cut before they reach the pool, and a chunk that is written in pieces is zeroed first. */
export const longestRequestBytes = (device: string): number => Number(readFileSync(`/sys/block/${basename(device)}/queue/max_sectors_kb`, "utf8")) * 1024;
