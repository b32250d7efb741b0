import { formatBytes } from "../units.ts";
import type { SpaceInfo } from "./driver-info.ts";
import { bar, percent, wrap, type Paint } from "./terminal.ts";

export const WIDTH = 80;
const LABEL = 14;
const INDENT = "  ";
const BAR = 18;

/** A label and what is to be said of it, in lines of at most 80 columns; nothing where there is nothing to say. */
export const line = (label: string, value: string | undefined): string | undefined =>
  value === undefined
    ? undefined
    : wrap(value, WIDTH, " ".repeat(INDENT.length + LABEL)).replace(" ".repeat(INDENT.length + LABEL), INDENT + label.padEnd(LABEL));

/** What somebody should know or do. */
export const warning = (text: string): string => wrap(text, WIDTH, `${INDENT}! `).replaceAll(/\n {2}! /g, "\n    ");

export const isLow = ({ total, available, minimumFree }: SpaceInfo): boolean => total > 0 && available < minimumFree;

/** How full it is, as a bar: yellow at twice the minimum that must stay free, red below it. */
export function gauge(label: string, space: SpaceInfo, paint: Paint): string {
  const { used, total, available, minimumFree } = space;
  const style = isLow(space) ? "red" : available < 2 * minimumFree ? "yellow" : "green";
  const share = `${paint(style, bar(used, total, BAR))} ${percent(used, total).padStart(5)}`;
  return `${INDENT}${label.padEnd(LABEL)}${share}  ${formatBytes(used)} of ${formatBytes(total)}, ${formatBytes(available)} free`;
}

/** "12 s ago", "3 h ago". */
export function ago(since: number, now: number): string {
  const seconds = Math.max(Math.round((now - since) / 1000), 0);
  return `${duration(seconds)} ago`;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** The largest unit that is full: "7 d", "90 min" is "1 h". */
export function duration(seconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS[3];
  return `${Math.floor(seconds / length)} ${unit}`;
}
