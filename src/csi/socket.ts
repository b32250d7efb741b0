import { lstat, mkdir, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { socketIn, socketProblem } from "../config/path-rules.ts";
import { DmthinError } from "../errors.ts";
import { ignoreMissing, isMissing } from "../files.ts";

const CONNECT_TIMEOUT_MS = 2000;

/** "unix:///path", "unix:/path" or "/path". Throws "path-unusable". */
export function socketPath(endpoint: string): string {
  const path = socketIn(endpoint);
  const problem = socketProblem(path);
  if (problem !== undefined) throw unusable(path, `it ${problem}`);
  return path;
}

/**
 * Makes the way free for a socket: the folder is made (0700) when it is missing, a socket that nobody answers on, left by
 * a process that was killed, is removed. Throws "path-unusable" for a live one, and for what is no socket.
 */
export async function prepareSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await lstat(path).catch(ignoreMissing);
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(path, "there is something that is not a socket: remove it, or name another path");
  if (await answers(path)) throw unusable(path, "another process answers on it: stop that first");
  await unlink(path).catch(ignoreMissing);
}

/** Whether a process listens: only a refusal by the kernel says that none does. */
async function answers(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = createConnection({ path });
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => resolve(true));
  socket.on("connect", () => resolve(true));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED" || isMissing(error)) resolve(false);
    else if (error.code === "EAGAIN") resolve(true); // its backlog is full
    else reject(unusable(path, `it cannot be asked whether anybody answers: ${error.message}`, error));
  });
  return promise.finally(() => socket.destroy());
}

const unusable = (path: string, reason: string, cause?: unknown): DmthinError =>
  new DmthinError({ code: "path-unusable", path, reason }, cause === undefined ? undefined : { cause });
