import { setTimeout as sleep } from "node:timers/promises";
import type { DriverInfo } from "./driver-info.ts";
import { DEADLINE_MS, driverLine, type AskDriver } from "./info.ts";
import { printPoolBriefly } from "./print-pool.ts";
import { silence } from "./silence.ts";
import { paintFor, type Terminal } from "./terminal.ts";

export interface WatchOptions {
  readonly socket: string;
  readonly json: boolean;
  readonly intervalMs: number;
}

/** A page of its own, which the terminal gives back as it was; without a cursor. */
const OPEN = "\u001B[?1049h\u001B[?25l";
const CLOSE = "\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H";
const TO_LINE_END = "\u001B[K";
const TO_END = "\u001B[J";
/** A serial line does not say how high its window is. */
const UNTOLD_ROWS = 24;

/**
 * Shows the pools again and again until `interrupted` aborts: drawn over on a terminal, one after the other elsewhere. A
 * driver that does not answer is waited for. Answers the exit code.
 */
export async function watchInfo(options: WatchOptions, ask: AskDriver, terminal: Terminal, interrupted: AbortSignal): Promise<number> {
  const draws = isTerminal(terminal.output) && !options.json;
  let last = "";
  if (draws) terminal.output.write(OPEN);
  try {
    while (!interrupted.aborted) {
      last = await look(options, ask, terminal);
      terminal.output.write(draws ? frame(last, terminal.output) : last);
      await sleep(options.intervalMs, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    // What was seen last stays in front of who looked.
    if (draws) terminal.output.write(`${CLOSE}${last}`);
  }
  return 0;
}

async function look({ socket, json }: WatchOptions, ask: AskDriver, terminal: Terminal): Promise<string> {
  const time = new Date();
  try {
    const driver = await ask(socket, DEADLINE_MS);
    return json ? `${JSON.stringify({ time: time.toISOString(), ...driver })}\n` : page(driver, time, terminal);
  } catch (error) {
    const problem = await silence(socket, error);
    return json ? `${JSON.stringify({ time: time.toISOString(), problem })}\n` : `${clock(time)}  ${problem}\n\n`;
  }
}

function page(driver: DriverInfo, time: Date, { output }: Terminal): string {
  const paint = paintFor(output);
  const heading = paint("dim", `${clock(time)}  ${driverLine(driver)}`);
  return [heading, ...driver.pools.map((pool) => printPoolBriefly(pool, paint, time.getTime()))].join("\n\n").concat("\n\n");
}

const clock = (time: Date): string => time.toTimeString().slice(0, 8);

/** From the top, each line to its end, no more lines than there are: so nothing flickers and nothing scrolls. */
function frame(text: string, { rows: told }: NodeJS.WriteStream): string {
  const rows = told > 0 ? told : UNTOLD_ROWS;
  const lines = text.trimEnd().split("\n");
  const shown = lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines: make the window higher`];
  return `${HOME}${shown.map((line) => `${line}${TO_LINE_END}\n`).join("")}${TO_END}`;
}

const isTerminal = (stream: NodeJS.WritableStream): stream is NodeJS.WriteStream => "isTTY" in stream && stream.isTTY === true;
