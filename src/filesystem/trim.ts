import { Buffer } from "node:buffer";
import { isErrno } from "../errors.ts";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import { bytes, type Bytes } from "../units.ts";
import type { FilesystemType } from "./filesystems.ts";

/** _IOWR('X', 121, struct fstrim_range): start, length and least extent in bytes, as three u64; the length comes back as what was trimmed. Source: include/uapi/linux/fs.h. */
const FITRIM = 0xc018_5879;
const RANGE_BYTES = 24;
const EVERYTHING = 2n ** 64n - 1n;

/** FITRIM on the mount point itself: a program for it would be one on a volume's path. */
export async function trimFilesystem(
  threads: Pick<BlockingThreads, "run">,
  type: FilesystemType,
  mountPoint: string,
  { from, to }: { readonly from: Bytes; readonly to: Bytes },
  deadlineMs: number,
): Promise<Bytes> {
  if (type === "btrfs" && from > 0) return bytes(0); // its addresses are not the device's: there are no parts of it
  const data = Buffer.alloc(RANGE_BYTES);
  data.writeBigUInt64LE(BigInt(from), 0);
  data.writeBigUInt64LE(type === "btrfs" ? EVERYTHING : BigInt(to - from), 8);
  const request = { kind: "ioctl", path: mountPoint, access: "read", request: FITRIM, data, operation: "trim", subject: mountPoint } as const;
  try {
    const answer = await threads.run(request, deadlineMs).done;
    return bytes(Number(Buffer.from(answer).readBigUInt64LE(8)));
  } catch (error) {
    // A part that begins beyond the end: the device is larger than what is on it.
    if (from > 0 && isErrno(error, "EINVAL")) return bytes(0);
    throw error;
  }
}
