import { Buffer } from "node:buffer";
import { checked } from "./checked.ts";
import { libc } from "./libc.ts";

const POLLIN = 1;
/** struct pollfd: int fd, short events, short revents. */
const SIZE = 8;

/** Waits until one of the descriptors has something to read, was closed at its other end, or the time is over; answers which. */
export function pollReadable(fds: readonly number[], timeoutMs: number): ReadonlySet<number> {
  const descriptors = Buffer.alloc(fds.length * SIZE);
  fds.forEach((fd, index) => {
    descriptors.writeInt32LE(fd, index * SIZE);
    descriptors.writeInt16LE(POLLIN, index * SIZE + 4);
  });
  checked("poll", fds.join(", "), () => libc.poll(descriptors, fds.length, timeoutMs));
  return new Set(fds.filter((_, index) => descriptors.readInt16LE(index * SIZE + 6) !== 0));
}
