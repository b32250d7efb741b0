import type { Command } from "commander";
import { DEFAULT_ADMIN_SOCKET } from "../config/standalone.ts";
import { begin, socketOf, type End } from "./command.ts";
import { info, type AskDriver } from "./info.ts";
import type { Terminal } from "./terminal.ts";

export function addInfoCommand(dmthin: Command, { terminal, askDriver }: { readonly terminal: Terminal; readonly askDriver: AskDriver }, end: End): void {
  begin(dmthin.command("info"), terminal, ["dmthin info", "dmthin info --json | jq '.pools[].figures.data'"])
    .description("Print the pools of the driver that runs on this machine.")
    .option("-s, --socket <path>", "the driver's admin socket", DEFAULT_ADMIN_SOCKET)
    .option("--json", "print JSON, sizes in bytes", false)
    .action(async ({ socket, json }: { readonly socket: string; readonly json: boolean }) =>
      end(info({ socket: socketOf(socket), json }, askDriver, terminal)),
    );
}
