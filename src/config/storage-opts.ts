import { posix } from "node:path";
import type { ConfigProblem } from "../errors.ts";
import { dockerPool } from "./docker-pool.ts";
import { at, isMapping, textAt } from "./document-paths.ts";
import { spellPath } from "./wording.ts";

/** A document in which Docker's words are written out, before the schema looks at it. */
export interface WrittenOut {
  readonly document: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Names the option of Docker's that said what stands at a path. */
  readonly placeOf: (path: string) => string;
}

const isStrings = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === "string");

/** Leaves alone what is not as it should be: the schema says so. */
export function writeOutStorageOpts(document: unknown, stateDirectory: string): WrittenOut {
  const pools = at(document, ["pools"]);
  if (!isMapping(document) || !Array.isArray(pools)) return { document, problems: [], placeOf: (path) => path };
  const problems: ConfigProblem[] = [];
  const places = new Map<string, string>();
  const written = pools.map((pool: unknown, number) => {
    const options = at(pool, ["storageOpts"]);
    if (!isMapping(pool) || !isStrings(options)) return pool;
    const { storageOpts: _, ...given } = pool;
    const found = dockerPool(options, given, posix.join(stateDirectory, textAt(pool, "name") ?? "docker"));
    const place = (index: number): string => spellPath(["pools", number, "storageOpts", index]);
    for (const { index, message } of [...found.problems, ...found.refused]) problems.push({ path: place(index), message });
    for (const [path, index] of found.saidBy) places.set(spellPath(["pools", number, ...path.split(".")]), place(index));
    return found.pool;
  });
  return { document: { ...document, pools: written }, problems, placeOf: (path) => places.get(path.replace(/(?<=\.devices)\[0\]$/, "")) ?? path };
}
