import { Buffer } from "node:buffer";
import { checked } from "./checked.ts";
import { libc, pollBeside } from "./libc.ts";

const POLLIN = 1;
/** struct pollfd: int fd, short events, short revents. */
const SIZE = 8;

/** Waits until one of the descriptors has something to read, was closed at its other end, or the time is over; answers which. */
export function pollReadable(fds: readonly number[], timeoutMs: number): ReadonlySet<number> {
  const descriptors = describe(fds);
  checked("poll", fds.join(", "), () => libc.poll(descriptors, fds.length, timeoutMs));
  return readable(fds, descriptors);
}

/** The same, waiting in one of libuv's threads, and holding it for as long. */
export async function untilReadable(fds: readonly number[], timeoutMs: number): Promise<ReadonlySet<number>> {
  const descriptors = describe(fds);
  const answer = await pollBeside(descriptors, fds.length, timeoutMs);
  return answer < 0 ? pollReadable(fds, 0) : readable(fds, descriptors); // that thread's errno is lost: asked again, it is told here
}

function describe(fds: readonly number[]): Buffer {
  const descriptors = Buffer.alloc(fds.length * SIZE);
  fds.forEach((fd, index) => {
    descriptors.writeInt32LE(fd, index * SIZE);
    descriptors.writeInt16LE(POLLIN, index * SIZE + 4);
  });
  return descriptors;
}

const readable = (fds: readonly number[], descriptors: Buffer): ReadonlySet<number> =>
  new Set(fds.filter((_, index) => descriptors.readInt16LE(index * SIZE + 6) !== 0));
