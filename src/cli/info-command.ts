import { InvalidArgumentError, type Command } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/admin-socket.ts";
import { socketIn } from "../config/path-rules.ts";
import { begin, type End } from "./command.ts";
import { info, type AskDriver } from "./info.ts";
import type { Terminal } from "./terminal.ts";
import { watchInfo } from "./watch.ts";

interface Options {
  readonly socket: string;
  readonly json: boolean;
  readonly watch: boolean;
  readonly interval: number;
}

interface Parts {
  readonly terminal: Terminal;
  readonly askDriver: AskDriver;
  /** Aborts at Ctrl-C, from then on when it is called. */
  readonly untilInterrupted: () => AbortSignal;
}

export function addInfoCommand(dmthin: Command, { terminal, askDriver, untilInterrupted }: Parts, end: End): void {
  begin(dmthin.command("info"), terminal, ["dmthin info", "dmthin info --watch", "dmthin info --json | jq '.pools[].figures.data'"])
    .description("Print the pools of the driver that runs on this machine.")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .option("--json", "print JSON, sizes in bytes; with --watch an object a line", false)
    .option("-w, --watch", "show what changes, until Ctrl-C", false)
    .option("-i, --interval <seconds>", "how often --watch looks", seconds, 2)
    .action(async ({ socket: given, json, watch, interval }: Options) => {
      const socket = socketIn(given);
      return end(
        watch ? watchInfo({ socket, json, intervalMs: interval * 1000 }, askDriver, terminal, untilInterrupted()) : info({ socket, json }, askDriver, terminal),
      );
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError("It is a number of seconds from 0.1 to 3600.");
  return value;
}
