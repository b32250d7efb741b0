import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { customResourceDefinitions } from "../../../src/cluster/objects/crd.ts";
import { structuralSchema, withAddition, type StructuralSchema } from "../../../src/cluster/objects/structural.ts";

describe("a shape as the API server is told of it", () => {
  test.each<[string, z.ZodType, StructuralSchema]>([
    ["text", z.string().describe("A name."), { type: "string", description: "A name." }],
    ["one of some words", z.enum(["a", "b"]), { type: "string", enum: ["a", "b"] }],
    ["a default, in words", z.int().default(3).describe("How many."), { type: "integer", format: "int64", description: "How many. Default: 3." }],
    ["a range", z.int().min(1).max(9), { type: "integer", format: "int64", minimum: 1, maximum: 9 }],
    ["text with a pattern", z.string().regex(/^a+$/), { type: "string", pattern: "^a+$" }],
    ["text with a pattern that Go has no words for", z.string().regex(/^(?!a)/), { type: "string" }],
    ["a number or a word", z.union([z.int(), z.literal("auto")]), { "x-kubernetes-int-or-string": true }],
    ["text or an object", z.union([z.string(), z.object({})]), { "x-kubernetes-preserve-unknown-fields": true }],
    ["a map", z.record(z.string(), z.string()), { type: "object", additionalProperties: { type: "string" } }],
    [
      "an object that may have more",
      z.looseObject({ a: z.string() }),
      { type: "object", properties: { a: { type: "string" } }, required: ["a"], "x-kubernetes-preserve-unknown-fields": true },
    ],
    ["a list", z.array(z.string()).min(1), { type: "array", items: { type: "string" }, minItems: 1, "x-kubernetes-list-type": "atomic" }],
  ])("%s", (_, shape, schema) => expect(structuralSchema(shape)).toEqual(schema));

  test("a size is a number or text that is one", () => {
    const { pattern = "" } = structuralSchema(z.union([z.string(), z.number()]).transform(Number));
    for (const size of ["1", "10Gi", "1.5 TiB", "7 b"]) expect(size).toMatch(new RegExp(pattern));
    for (const none of ["", "10G", "many", "-1", "1e3"]) expect(none).not.toMatch(new RegExp(pattern));
  });

  test("what has no words is not passed over", () => expect(() => structuralSchema(z.null())).toThrow(/no words/));

  test("a rule is not lost when its field is renamed", () => {
    const schema = structuralSchema(z.object({ list: z.array(z.string()) }));
    expect(withAddition(schema, ["list", "[]"], { maxLength: 5 }).properties?.["list"]?.items).toEqual({ type: "string", maxLength: 5 });
    expect(() => withAddition(schema, ["lists"], { maxItems: 5 })).toThrow(/there is no lists/);
  });
});

/** Every schema in a schema, with its path. */
function* inside(schema: StructuralSchema, path: string): Iterable<[path: string, schema: StructuralSchema]> {
  yield [path, schema];
  for (const [key, each] of Object.entries(schema.properties ?? {})) yield* inside(each, `${path}.${key}`);
  if (schema.items !== undefined) yield* inside(schema.items, `${path}[]`);
}

const schemas = customResourceDefinitions().flatMap(({ spec: { names, versions } }) =>
  versions.flatMap(({ schema }) => [...inside(schema.openAPIV3Schema, names.kind)]),
);

test("every option of a pool is described, for kubectl explain", () => {
  const options = schemas.filter(([path]) => path.startsWith("ThinPool.spec.") && !path.endsWith("[]") && !path.startsWith("ThinPool.spec.nodeSelector."));
  expect(options.length).toBeGreaterThan(30);
  expect(options.filter(([, { description }]) => description === undefined).map(([path]) => path)).toEqual([]);
});

test("the API server fills in no spec's defaults: what is left out goes on meaning what the driver takes for it", () => {
  const filled = schemas.filter(([, schema]) => schema.default !== undefined).map(([path]) => path);
  expect(filled).toEqual(["NodeThinPool.status", "ThinVolume.status", "ThinSnapshot.status", "ThinSnapshotGroup.status"]);
});

test("every rule says in words what it refuses", () => {
  const rules = schemas.flatMap(([, schema]) => schema["x-kubernetes-validations"] ?? []);
  expect(rules.length).toBeGreaterThan(30);
  for (const { message } of rules) expect(message.length).toBeGreaterThan(15);
});
