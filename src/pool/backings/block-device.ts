import { Buffer } from "node:buffer";
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { readFile, readlink, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { DeviceNumber } from "../../devicemapper/device-mapper.ts";
import { parseThinSuperblock, SUPERBLOCK_SIZE, type ThinSuperblock } from "../../devicemapper/thin-superblock.ts";
import { ignoreMissing } from "../../files.ts";
import { deviceOf } from "../../filesystem/device-number.ts";
import { BYTES_PER_SECTOR, MiB, bytes, type Bytes } from "../../units.ts";
import type { BackingDevice } from "./backing.ts";

/** A block device by its path; undefined where there is none: what cannot be looked at is thrown. Links are followed: names below /dev/disk are links. */
export async function findBlockDevice(path: string): Promise<BackingDevice | undefined> {
  const found = await stat(path).catch(unlessAbsent);
  if (found?.isBlockDevice() !== true) return undefined;
  const { major, minor } = deviceOf(found.rdev);
  const sectorCount = await readFile(`/sys/dev/block/${major}:${minor}/size`, "utf8");
  const discardMaxBytes = await discardMaximum(`${major}:${minor}`);
  return { path, major, minor, sizeBytes: bytes(Number(sectorCount) * BYTES_PER_SECTOR), ...(discardMaxBytes === undefined ? {} : { discardMaxBytes }) };
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOTDIR") return ignoreMissing(error);
}

/** One that the kernel has, by its number; the path is the kernel's own. */
export async function deviceByNumber({ major, minor }: DeviceNumber): Promise<BackingDevice> {
  const path = `/dev/${basename(await readlink(`/sys/dev/block/${major}:${minor}`)).replaceAll("!", "/")}`;
  const found = await findBlockDevice(path);
  if (found?.major !== major || found.minor !== minor) throw new Error(`${path} is not the device ${major}:${minor}: /dev lacks what the kernel has`);
  return found;
}

/** A partition has its disk's queue. */
async function discardMaximum(number: string): Promise<Bytes | undefined> {
  for (const folder of ["queue", "../queue"]) {
    const text = await readFile(`/sys/dev/block/${number}/${folder}/discard_max_bytes`, "utf8").catch(ignoreMissing);
    if (text !== undefined) return bytes(Number(text));
  }
  return undefined;
}

/**
 * Fresh from the disk as long as nobody has the device open: the kernel drops a device's pages at its last close. In the
 * pool's own thread: a disk that hangs must not take one of libuv's four, which all threads of the process share.
 */
export function readRange(path: string, from: number, length: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, from));
  } finally {
    closeSync(fd);
  }
}

/** Of a metadata device, or a file with its content: from where the kernel keeps it. */
export const readSuperblock = (metadataPath: string): ThinSuperblock => parseThinSuperblock(readRange(metadataPath, 0, SUPERBLOCK_SIZE));

/** Where filesystems, tables, and RAID keep what they are known by: zeros there are no proof, but anything else is one. */
export function areEndsBlank({ path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }): boolean {
  const ends = [readRange(path, 0, MiB), readRange(path, Math.max(0, sizeBytes - MiB), MiB)];
  return ends.every((end) => end.every((byte) => byte === 0));
}

const LABEL_BYTES = 4096;

/** Zeros the first and the last MiB, durably; LVM's label last, so that after an interruption it still tells whose the disk is. */
export function blankEnds({ path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_EXCL);
  try {
    const labelEnd = Math.min(LABEL_BYTES, sizeBytes);
    zero(fd, Math.max(labelEnd, sizeBytes - MiB), sizeBytes);
    zero(fd, labelEnd, Math.min(MiB, sizeBytes));
    fsyncSync(fd);
    zero(fd, 0, labelEnd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function zero(fd: number, from: number, to: number): void {
  const zeros = Buffer.alloc(to - from);
  for (let at = from; at < to;) at += writeSync(fd, zeros, 0, to - at, at);
}
