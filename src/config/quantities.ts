import * as z from "zod";
import { ambiguousSize, bytes, formatBytes, parseSize, type Bytes } from "../units.ts";
import { quote } from "./wording.ts";

const required = (issue: { readonly input?: unknown }, what: (input: unknown) => string): string =>
  issue.input === undefined ? "is required" : what(issue.input);

const notASize = (value: unknown): string =>
  (typeof value === "string" ? ambiguousSize(value) : undefined) ?? `${quote(value)} is not a size: use bytes, or a number with Ki, Mi, Gi, Ti`;

/** Bytes, from a whole number or from text such as "10Gi". */
export const size = (range: { readonly least: Bytes; readonly most?: Bytes }) =>
  z.union([z.string(), z.number()], { error: (issue) => required(issue, notASize) }).transform((value, context): Bytes => {
    const parsed = typeof value === "string" ? parseSize(value) : Number.isSafeInteger(value) && value >= 0 ? bytes(value) : undefined;
    const problem =
      parsed === undefined
        ? notASize(value)
        : parsed < range.least
          ? `${value} is too small: at least ${formatBytes(range.least)}`
          : range.most !== undefined && parsed > range.most
            ? `${value} is too large: at most ${formatBytes(range.most)}`
            : undefined;
    if (problem !== undefined) context.addIssue(problem);
    return parsed !== undefined && problem === undefined ? parsed : z.NEVER;
  });

/** Percent as a number, from text such as "10%" or "2.5%". A bare number is refused: 0.1 could be either. */
export const percentage = ({ least = 0, most = 99, whole = false }: { readonly least?: number; readonly most?: number; readonly whole?: boolean } = {}) => {
  const notAPercentage = (value: unknown): string =>
    `${quote(value)} is not a ${whole ? "whole " : ""}percentage: write it as "${Math.max(least, Math.min(most, 10))}%", from ${least}% to ${most}%`;
  return z.string({ error: (issue) => required(issue, notAPercentage) }).transform((value, context): number => {
    const match = /^\s*(\d{1,3}(?:\.\d+)?)\s*%\s*$/.exec(value);
    const percent = Number(match?.[1]);
    if (percent >= least && percent <= most && (!whole || Number.isInteger(percent))) return percent;
    context.addIssue(notAPercentage(value));
    return z.NEVER;
  });
};

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds, from text such as "30s". */
export const duration = (range: { readonly leastMs: number; readonly mostMs: number }) => {
  const notADuration = (value: unknown): string =>
    `${quote(value)} is not a duration from ${range.leastMs / 1000}s to ${range.mostMs / 1000}s: use a number with ms, s, m, h or d`;
  return z.string({ error: (issue) => required(issue, notADuration) }).transform((value, context): number => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$/.exec(value);
    const milliseconds = Number(match?.[1]) * (MILLISECONDS[match?.[2] ?? ""] ?? Number.NaN);
    if (milliseconds >= range.leastMs && milliseconds <= range.mostMs) return Math.round(milliseconds);
    context.addIssue(notADuration(value));
    return z.NEVER;
  });
};

const notAMode = (value: unknown): string =>
  typeof value === "number"
    ? `a file mode is read as octal, and without quotes YAML takes it for the number ${value}: write "0600"`
    : `${quote(value)} is not a file mode: use octal digits in quotes, such as "0600"`;

/** A file mode, from octal digits in quotes: YAML 1.2 takes 0600 without them for six hundred, YAML 1.1 for 384. */
export const fileMode = () =>
  z
    .string({ error: (issue) => required(issue, notAMode) })
    .regex(/^0?[0-7]{3}$/, { error: (issue) => notAMode(issue.input) })
    .transform((digits) => Number.parseInt(digits, 8));
