import { styleText } from "node:util";

/** Where a command writes. What it prints is a result; complaints go to `error`. */
export interface Terminal {
  readonly output: NodeJS.WritableStream;
  readonly error: NodeJS.WritableStream;
}

export type Style = "bold" | "dim" | "green" | "yellow" | "red";
export type Paint = (style: Style, text: string) => string;

/** In colour on a terminal that wants it (NO_COLOR, TERM and the like are heeded), as it is elsewhere. */
export const paintFor =
  (stream: NodeJS.WritableStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream });

const FULL = "█";
const FREE = "░";

/** A part of a whole: at least one cell when there is anything, and full only when it is. */
export function bar(used: number, total: number, width: number): string {
  const share = total > 0 ? Math.min(used / total, 1) : 0;
  const cells = share === 0 ? 0 : share === 1 ? width : Math.min(Math.max(Math.round(share * width), 1), width - 1);
  return FULL.repeat(cells) + FREE.repeat(width - cells);
}

/** "42 %"; whole, and 100 only when it is. */
export function percent(used: number, total: number): string {
  if (total <= 0) return "0 %";
  const share = (used / total) * 100;
  return `${share < 100 ? Math.min(Math.round(share), 99) : Math.round(share)} %`;
}

/** Between words, but not between a number and its unit. */
const BREAK = /\s+(?!(?:%|B|[KMGTP]iB)(?!\w))/;

/** Words in lines of at most `width` columns, each with the indent before it. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(BREAK)) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line].join("\n");
}
