import * as z from "zod";
import type { ConfigProblem } from "../errors.ts";
import { quote, spellPath } from "./wording.ts";

type Path = readonly PropertyKey[];
type JsonSchema = z.core.JSONSchema.JSONSchema;

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  array: "a list",
};

/** Sentences for what zod finds by itself; an option's own check brings its own. */
const sentence: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `${quote(issue.input)} is not ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return issue.input === undefined ? "is required" : `${quote(issue.input)} is none of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${quote(issue.input)} is too small: at least ${issue.minimum}`;
    case "too_big":
      return `${quote(issue.input)} is too large: at most ${issue.maximum}`;
    default:
      return undefined;
  }
};

/** Every problem at once, in the order of the schema; an unknown key by itself with the nearest known one. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { readonly value: z.output<Schema> } | { readonly problems: readonly ConfigProblem[] } {
  const result = schema.safeParse(value, { error: sentence });
  if (result.success) return { value: result.data };
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, [], shape)) };
}

function problemsOf(issue: z.core.$ZodIssue, above: Path, shape: JsonSchema): readonly ConfigProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const options = optionsAt(shape, path);
    return issue.keys.map((key) => ({ path: spellPath([...path, key]), message: unknownKey(key, options) }));
  }
  if (issue.code === "invalid_union") {
    const branch = issue.errors.find((issues) => !issues.some((inner) => inner.code === "invalid_type" && inner.path.length === 0));
    if (branch !== undefined) return branch.flatMap((inner) => problemsOf(inner, path, shape));
    const [text] = issue.errors.flat();
    return [{ path: spellPath(path), message: issue.message === "Invalid input" && text !== undefined ? text.message : issue.message }];
  }
  return [{ path: spellPath(path), message: issue.message }];
}

/** The keys that a mapping at this place may have. */
function optionsAt(shape: JsonSchema, path: Path): readonly string[] {
  const alternatives = [shape, ...(shape.anyOf ?? [])] as readonly JsonSchema[];
  const [part, ...rest] = path;
  if (part === undefined) return alternatives.flatMap(({ properties }) => Object.keys(properties ?? {}));
  return alternatives.flatMap(({ properties, items }) => {
    const inner = typeof part === "number" ? items : properties?.[String(part)];
    return typeof inner === "object" && !Array.isArray(inner) ? optionsAt(inner, rest) : [];
  });
}

/** What to say to an option that does not exist. */
export function unknownKey(key: string, options: readonly string[]): string {
  const nearest = options.toSorted((one, other) => distance(key, one) - distance(key, other))[0];
  return nearest !== undefined && distance(key, nearest) <= Math.max(2, key.length / 3)
    ? `there is no such option: did you mean ${nearest}?`
    : `there is no such option: known here are ${options.join(", ")}`;
}

/** Levenshtein's: how many letters differ, whatever their case. */
function distance(one: string, other: string): number {
  const [from, to] = [Array.from(one.toLowerCase()), Array.from(other.toLowerCase())];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of from.entries()) {
    const next = [index + 1];
    for (const [column, wanted] of to.entries()) {
      next.push(Math.min((row[column] ?? 0) + (letter === wanted ? 0 : 1), (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
