import { isErrno } from "../errors.ts";
import { checked } from "./checked.ts";
import { closeDescriptor, openDescriptor } from "./descriptor.ts";
import { libc } from "./libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

export interface Lock {
  /** Hand it to a child (as one of its stdio) that must not be overtaken: the lock lives until the last holder has closed it. */
  readonly fd: number;
  /** Closes this process's share. Twice is once. */
  release(): void;
}

/** Takes the lock of a file, making the file where there is none, or answers undefined when somebody has it. Never waits. */
export function tryLock(path: string): Lock | undefined {
  const fd = openDescriptor(path, "create");
  try {
    checked("flock", path, () => libc.flock(fd, LOCK_EX | LOCK_NB));
  } catch (error) {
    closeDescriptor(fd);
    if (isErrno(error, "EAGAIN")) return undefined;
    throw error;
  }
  let held = true;
  return {
    fd,
    // Not LOCK_UN, which would take the lock from the children as well.
    release: () => {
      if (held) closeDescriptor(fd);
      held = false;
    },
  };
}
