import { DmthinError } from "../errors.ts";
import { errnoName, lastErrno } from "./libc.ts";

const EINTR = 4;

/**
 * What the call answered, or "kernel-failed" with the errno's name. A call that a signal interrupted is made again: with
 * those made here it has changed nothing then.
 */
export function checked(operation: string, subject: string, call: () => number): number {
  for (;;) {
    const answer = call();
    if (answer >= 0) return answer;
    const errno = lastErrno();
    if (errno !== EINTR) throw new DmthinError({ code: "kernel-failed", operation, subject, errno: errnoName(errno) });
  }
}
