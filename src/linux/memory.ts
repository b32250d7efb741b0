import { setFlagsFromString } from "node:v8";
import { libc } from "./libc.ts";

/** Of malloc.h, glibc. */
const M_ARENA_MAX = -8;
const TRIM_MS = 10_000;

/**
 * Keeps the process small: it runs on every node and has little to remember. Threads share one malloc arena, and what V8's
 * compilers have freed goes back to the kernel. The main thread's young generation is kept small by the first line of
 * main.ts, since V8 decides on that before any code runs; the workers' by the same flag here.
 */
export function saveMemory(): void {
  setFlagsFromString("--max-semi-space-size=2");
  setFlagsFromString("--single-threaded-gc"); // the little there is to collect is not worth waking other threads
  libc.mallopt(M_ARENA_MAX, 1);
  setInterval(() => libc.malloc_trim(0), TRIM_MS).unref();
}
