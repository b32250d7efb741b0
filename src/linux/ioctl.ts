import { checked } from "./checked.ts";
import { libc } from "./libc.ts";

/** `data` goes in and comes back changed. May block for as long as the kernel likes. */
export const ioctl = (fd: number, request: number, data: Uint8Array, operation: string, subject: string): number =>
  checked(operation, subject, () => libc.ioctl(fd, request, data));
