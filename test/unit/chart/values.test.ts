import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { CHART } from "../../chart/generated.ts";

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const values = parse(await readFile(join(CHART, "values.yaml"), "utf8")) as Value;
const schema = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8")) as Schema;
const page = await readFile(new URL("../../../docs/chart.md", import.meta.url), "utf8");
const rows = new Map([...page.matchAll(/^\| `([a-zA-Z.]+)` \| (.*?) ?\| \S.* \|$/gm)].map(([, path = "", value = ""]) => [path, value]));

const isMapping = (value: Value | undefined): value is Readonly<Record<string, Value>> => typeof value === "object" && value !== null && !Array.isArray(value);
const at = (path: string): Value | undefined => path.split(".").reduce<Value | undefined>((value, key) => (isMapping(value) ? value[key] : undefined), values);
const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

/** What is no mapping, or an empty one, and what has a row of its own. */
function leaves(value: Value, path = ""): readonly string[] {
  const fields = isMapping(value) ? Object.entries(value) : [];
  return fields.length === 0 || rows.has(path) ? [path] : fields.flatMap(([key, each]) => leaves(each, below(path, key)));
}

function spell(value: Value): string {
  const text = typeof value === "string" ? value : JSON.stringify(value).replaceAll(/(?<=[:,])(?=\S)/g, " ");
  return text === "" ? "" : text.length <= 60 ? `\`${text}\`` : "see `values.yaml`";
}

test("docs/chart.md has a row for each value of values.yaml, no other, and its true default", () => {
  expect([...rows.keys()].toSorted()).toEqual(leaves(values).toSorted());
  for (const [path, value] of rows) expect({ path, value }).toEqual({ path, value: spell(at(path) ?? null) });
});

function options({ $ref, properties = {} }: Schema, path = ""): readonly string[] {
  const inner = $ref === undefined ? properties : (schema.definitions?.[$ref.replace("#/definitions/", "")]?.properties ?? {});
  return Object.entries(inner).flatMap(([key, each]) => [below(path, key), ...options(each, below(path, key))]);
}

test("each value that the schema takes is in values.yaml", () => {
  const unset = /^(global|node\.updateStrategy)/; // of helm's own; and its alternatives
  const missing = options(schema).filter((path) => !unset.test(path) && at(path) === undefined);
  expect(missing).toEqual([]);
  expect(options(schema).length).toBeGreaterThan(150);
});
