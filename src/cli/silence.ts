import { stat } from "node:fs/promises";
import { types } from "node:util";

/** Why no driver answered, and what to do: the socket itself tells most. */
export async function silence(socket: string, error: unknown): Promise<string> {
  const start = 'start one with "dmthin standalone --config FILE", or name its adminSocket with --socket';
  try {
    if (!(await stat(socket)).isSocket()) return `${socket} is not a socket: name the driver's adminSocket with --socket`;
  } catch (cause) {
    const code = types.isNativeError(cause) && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return `no driver runs here: there is no socket ${socket}; ${start}`;
    if (code === "EACCES") return `you may not look at ${socket}, which only root may: run this as root`;
  }
  const reason = types.isNativeError(error) ? error.message : String(error);
  if (/\bEACCES\b/.test(reason)) return `you may not ask the driver behind ${socket}, which only root may: run this as root`;
  return `no driver answers on ${socket} (${reason}): see whether it runs, and its log; ${start}`;
}
