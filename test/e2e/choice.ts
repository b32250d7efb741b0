import type { Case } from "./case.ts";

/** The word that asks for all cases. */
export const ALL = "--all";

/** Those that words ask for: by `ALL` or by words of their names; without words all but those that take minutes. */
export function choose(cases: readonly Case[], words: readonly string[]): readonly Case[] {
  if (words.includes(ALL)) return cases;
  if (words.length === 0) return cases.filter(({ long }) => long !== true);
  return cases.filter(({ name }) => words.some((word) => name.includes(word)));
}
