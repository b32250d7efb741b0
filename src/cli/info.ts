import { stat } from "node:fs/promises";
import { types } from "node:util";
import type { DriverInfo } from "./driver-info.ts";
import { printPool } from "./print-pool.ts";
import { paintFor, type Terminal } from "./terminal.ts";

/** Asks the driver behind an admin socket; rejects when none answers in time. */
export type AskDriver = (socket: string, deadlineMs: number) => Promise<DriverInfo>;

const DEADLINE_MS = 5000;

/** Prints the pools of a running driver. Answers the exit code. */
export async function info(options: { readonly socket: string; readonly json: boolean }, ask: AskDriver, terminal: Terminal): Promise<number> {
  const answer = await ask(options.socket, DEADLINE_MS).catch(async (error: unknown) => ({ silence: await silence(options.socket, error) }));
  if ("silence" in answer) {
    terminal.error.write(`dmthin: ${answer.silence}\n`);
    return 1;
  }
  terminal.output.write(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : printInfo(answer, terminal));
  return 0;
}

function printInfo({ driverVersion, node, pools }: DriverInfo, { output }: Terminal): string {
  const paint = paintFor(output);
  const now = Date.now();
  const heading = paint("dim", `dmthin ${driverVersion} on ${node}, ${pools.length} ${pools.length === 1 ? "pool" : "pools"}`);
  return [heading, ...pools.map((pool) => printPool(pool, paint, now))].join("\n\n").concat("\n");
}

/** Why no driver answered, and what to do: the socket itself tells most. */
async function silence(socket: string, error: unknown): Promise<string> {
  const start = 'start one with "dmthin standalone --config FILE", or name its adminSocket with --socket';
  try {
    if (!(await stat(socket)).isSocket()) return `${socket} is not a socket: name the driver's adminSocket with --socket`;
  } catch (cause) {
    const code = types.isNativeError(cause) && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return `no driver runs here: there is no socket ${socket}; ${start}`;
    if (code === "EACCES") return `you may not look at ${socket}: run this as root`;
  }
  const reason = types.isNativeError(error) ? error.message : String(error);
  return `no driver answers on ${socket} (${reason}): see whether it runs, and its log; ${start}`;
}
