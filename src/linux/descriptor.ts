import { Buffer } from "node:buffer";
import { libc } from "./libc.ts";
import { checked } from "./checked.ts";

const O_RDONLY = 0;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export type Access = "read" | "read-write" | "create";

/** Opens for this process alone: a child gets the descriptor only where it is handed to it. `create` makes a file with mode 0600. */
export function openDescriptor(path: string, access: Access): number {
  const flags = access === "read" ? O_RDONLY : access === "read-write" ? O_RDWR : O_RDWR | O_CREAT;
  return checked("open", path, () => libc.open(path, flags | O_CLOEXEC, 0o600));
}

/** Never repeated: Linux has given the number back even when it answers EINTR. */
export const closeDescriptor = (fd: number): void => void libc.close(fd);

/** Whether programs started from now on go without the descriptor. */
export function setCloseOnExec(fd: number, closeOnExec: boolean): void {
  checked("fcntl", `descriptor ${fd}`, () => libc.fcntl(fd, F_SETFD, closeOnExec ? FD_CLOEXEC : 0));
}

/** A pipe that no child inherits unasked. */
export function openPipe(): { readonly readFd: number; readonly writeFd: number } {
  const ends = Buffer.alloc(8);
  checked("pipe2", "a pipe", () => libc.pipe2(ends, O_CLOEXEC));
  return { readFd: ends.readInt32LE(0), writeFd: ends.readInt32LE(4) };
}
