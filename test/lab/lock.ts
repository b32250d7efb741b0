import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Runs work while holding an exclusive lock on a file, waiting for whoever has it.
 * The lock is held by a child on the other end of a pipe: when this process dies in whatever way, so does the lock.
 */
export async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn("flock", ["--exclusive", file, "cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "close");
  holder.stdin.write("locked\n"); // cat answers once flock has let it start
  await Promise.race([
    once(holder.stdout, "data"),
    ended.then(() => Promise.reject(new Error(`${file} could not be locked: is flock (util-linux) installed?`))),
  ]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
