import type { DriverInfo } from "./driver-info.ts";
import { printPool } from "./print-pool.ts";
import { silence } from "./silence.ts";
import { paintFor, wrap, type Terminal } from "./terminal.ts";
import { WIDTH } from "./lines.ts";

/** Asks the driver behind an admin socket; rejects when none answers in time. */
export type AskDriver = (socket: string, deadlineMs: number) => Promise<DriverInfo>;

export const DEADLINE_MS = 5000;

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

function printInfo(driver: DriverInfo, { output }: Terminal): string {
  const paint = paintFor(output);
  const now = Date.now();
  const heading = [driverLine(driver), ...kernelLine(driver)].map((text) => paint("dim", text)).join("\n");
  return [heading, ...driver.pools.map((pool) => printPool(pool, paint, now))].join("\n\n").concat("\n");
}

export const driverLine = ({ driverVersion, node, pools }: DriverInfo): string =>
  `dmthin ${driverVersion} on ${node}, ${pools.length} ${pools.length === 1 ? "pool" : "pools"}`;

/** One kernel for all pools: any that is open tells of it. */
function kernelLine({ pools }: DriverInfo): readonly string[] {
  const setup = pools.find((pool) => pool.setup !== undefined)?.setup;
  if (setup === undefined) return [];
  const targets = [
    ["thin-pool", setup.thinPoolVersion],
    ["thin", setup.thinVersion],
  ].map(([target = "", version = ""]) => `${target} ${version === "" ? "not loaded" : version}`);
  return [wrap(`device-mapper ${setup.deviceMapperVersion}, ${targets.join(", ")}; udev is never waited for`, WIDTH, "")];
}
