import * as z from "zod";
import { DmthinError, type ConfigProblem } from "../errors.ts";
import { documentProblems } from "./between-fields.ts";
import { at } from "./document-paths.ts";
import type { PoolDescription } from "./pool-description.ts";
import { describePool, poolDocument } from "./pool-document.ts";
import { check } from "./problems.ts";
import { writeOutStorageOpts } from "./storage-opts.ts";

/** A ThinPool's name and spec, as they were written. */
export interface WrittenPool {
  readonly name: string;
  readonly spec: unknown;
}

export interface PoolPlace {
  readonly stateDirectory: string;
  readonly runDirectory: string;
  /** The node's other pools, which were taken before: what they have, this cannot have. */
  readonly others: readonly WrittenPool[];
}

/** What only a cluster knows of a pool: not the pool's own affair. */
const CLUSTER_ONLY: ReadonlySet<string> = new Set(["nodeSelector", "deletionPolicy"]);

const nodePools = z.strictObject({ pools: z.array(poolDocument), stateDirectory: z.string(), runDirectory: z.string() });
const checked = nodePools.superRefine(
  (document, context) => {
    for (const { path, message } of documentProblems(document)) context.addIssue({ code: "custom", path: [...path], message });
  },
  { when: () => true },
);

/**
 * The pool that a ThinPool's spec describes, on this node: by the same rules as the standalone file's. Throws
 * "config-invalid" with every problem, each by its place in the object.
 */
export function describeClusterPool({ name, spec }: WrittenPool, { stateDirectory, runDirectory, others }: PoolPlace): PoolDescription {
  const source = `ThinPool ${name}`;
  const index = others.length;
  const pools = [...others, { name, spec }].map((pool) => toDocument(pool));
  const { document, problems, placeOf } = writeOutStorageOpts({ pools, stateDirectory, runDirectory }, stateDirectory);
  const result = check(checked, document);
  const found = "problems" in result ? result.problems.map(({ path, message }) => ({ path: placeOf(path), message })) : [];
  const own = [...problems, ...found].flatMap((problem) => ownProblem(problem, index, others));
  if (own.length > 0) throw new DmthinError({ code: "config-invalid", source, problems: own });
  const pool = "value" in result ? result.value.pools[index] : poolDocument.parse(at(document, ["pools", index]));
  if (pool === undefined) throw new TypeError("a pool document was lost");
  return describePool(pool, false);
}

function toDocument({ name, spec }: WrittenPool): object {
  const entries = typeof spec === "object" && spec !== null ? Object.entries(spec) : [];
  return { name, ...Object.fromEntries(entries.filter(([key]) => !CLUSTER_ONLY.has(key))) };
}

/** Of this pool alone, and by its place in its object; another pool is called by its name. */
function ownProblem({ path, message }: ConfigProblem, index: number, others: readonly WrittenPool[]): readonly ConfigProblem[] {
  const own = `pools[${index}]`;
  if (!path.startsWith(own)) return [];
  const rest = path.slice(own.length);
  const named = message.replaceAll(/\bpools\[(\d+)\]/g, (_, number: string) => {
    const other = others[Number(number)];
    return other === undefined ? "spec" : `ThinPool ${other.name}`;
  });
  return [{ path: rest === ".name" ? "metadata.name" : `spec${rest}`, message: named }];
}
