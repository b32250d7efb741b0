import { readFile } from "node:fs/promises";

/** The names in the first column of the tables of a section of docs/operations.md. */
export async function namesIn(heading: string): Promise<readonly string[]> {
  const page = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (`.*?) \| \S/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}
