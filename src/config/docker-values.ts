import { bytes, type Bytes } from "../units.ts";
import { quote } from "./wording.ts";

/** Values as Docker's devicemapper driver took them, spelled as a document has them; or why it is none. */
export type Read = { readonly value: unknown } | { readonly problem: string };

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i;
const POWERS = ["", "k", "m", "g", "t", "p"];

/** "20G" is 20 * 2^30, "20Gi" and "20GB" too. Source: RAMInBytes in docker/go-units. */
export function dockerSize(text: string): Read {
  const [, digits = "", letter = ""] = SIZE.exec(text) ?? [];
  const value = Math.floor(Number(digits) * 1024 ** POWERS.indexOf(letter.toLowerCase()));
  return digits !== "" && Number.isSafeInteger(value) ? { value: spellSize(bytes(value)) } : { problem: `${quote(text)} is not a size such as 20G` };
}

/** In the largest unit that leaves a whole number. */
function spellSize(value: Bytes): string {
  const suffixes = ["", "Ki", "Mi", "Gi", "Ti"];
  const power = suffixes.findLastIndex((_, index) => value > 0 && value % 1024 ** index === 0);
  return `${value / 1024 ** Math.max(power, 0)}${suffixes[Math.max(power, 0)] ?? ""}`;
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false] as const),
]);

/** Source: strconv.ParseBool. */
export function dockerBoolean(text: string): Read {
  const value = WORDS.get(text);
  return value === undefined ? { problem: `${quote(text)} is not true or false` } : { value };
}

/** Whole, above nothing; the sign may be left out, as Docker had it. */
export const dockerPercentage =
  (most: number, sign: "optional" | "required" = "optional", least = 1) =>
  (text: string): Read => {
    const match = (sign === "required" ? /^(\d+)%$/ : /^(\d+)%?$/).exec(text);
    const percent = Number(match?.[1] ?? Number.NaN);
    return percent >= least && percent <= most ? { value: `${percent}%` } : { problem: `${quote(text)} is not a percentage from ${least}% to ${most}%` };
  };
