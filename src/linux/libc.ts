import koffi from "koffi";

/**
 * The C library's own functions, as they are: -1 and an errno. Each is declared with the arguments it is called with, which
 * for the variadic ones (open, ioctl, fcntl) is the same on x86-64 and arm64.
 */
const library = koffi.load("libc.so.6");

const poll = library.func("int poll(_Inout_ void *, unsigned long, int)");

export const libc = {
  open: library.func("int open(const char *, int, unsigned int)") as (path: string, flags: number, mode: number) => number,
  close: library.func("int close(int)") as (fd: number) => number,
  ioctl: library.func("int ioctl(int, unsigned long, _Inout_ void *)") as (fd: number, request: number, data: Uint8Array) => number,
  poll: poll as unknown as (descriptors: Uint8Array, count: number, timeoutMs: number) => number,
  flock: library.func("int flock(int, int)") as (fd: number, operation: number) => number,
  syncfs: library.func("int syncfs(int)") as (fd: number) => number,
  statfs: library.func("int statfs(const char *, _Inout_ void *)") as (path: string, answer: Uint8Array) => number,
  pipe2: library.func("int pipe2(_Inout_ void *, int)") as (descriptors: Uint8Array, flags: number) => number,
  mallopt: library.func("int mallopt(int, int)") as (parameter: number, value: number) => number,
  malloc_trim: library.func("int malloc_trim(size_t)") as (keepBytes: number) => number,
  fcntl: library.func("int fcntl(int, int, int)") as (fd: number, command: number, value: number) => number,
} as const;

/** poll(2) in one of libuv's threads. */
export const pollBeside = async (descriptors: Uint8Array, count: number, timeoutMs: number): Promise<number> =>
  new Promise((resolve, reject) => {
    poll.async(descriptors, count, timeoutMs, (error: unknown, answer: number) => (error === null ? resolve(answer) : reject(error)));
  });

/** Of the last call of this thread that failed. */
export const lastErrno = (): number => koffi.errno();

/** Second names for a number that has another one already. */
const ALIASES = new Set(["EWOULDBLOCK", "EDEADLOCK", "ENOTSUP"]);
const names = new Map(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !ALIASES.has(name))
    .map(([name, number]) => [number, name]),
);

/** 16 is "EBUSY". Numbers that only the kernel's inside knows, and leaks now and then, come as "errno 524". */
export const errnoName = (errno: number): string => names.get(errno) ?? `errno ${errno}`;
