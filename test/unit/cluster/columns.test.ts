import { expect, test } from "@jest/globals";
import { customResourceDefinitions } from "../../../src/cluster/objects/crd.ts";
import type { StructuralSchema } from "../../../src/cluster/objects/structural.ts";

const VERSIONS = customResourceDefinitions().flatMap(({ spec: { names, versions } }) => versions.map((version) => [names.kind, version] as const));

const found = (schema: StructuralSchema, path: string): StructuralSchema | undefined =>
  path.split(".").reduce<StructuralSchema | undefined>((at, key) => at?.properties?.[key], schema);

test.each(VERSIONS)("each column of %s shows a field that there is, of the type that it says", (_, { additionalPrinterColumns, schema }) => {
  const fields = additionalPrinterColumns.filter(({ jsonPath }) => !jsonPath.includes("[") && !jsonPath.startsWith(".metadata."));
  expect(fields.length).toBeGreaterThan(0);
  for (const { name, jsonPath, type } of fields) {
    const field = found(schema.openAPIV3Schema, jsonPath.slice(1));
    expect([name, field?.type === "array" ? "string" : field?.type]).toEqual([name, type]);
  }
});

test.each(VERSIONS)(
  "no column of %s shows bare bytes, and each that shows a size has the exact number beside it",
  (_, { additionalPrinterColumns, schema }) => {
    for (const { jsonPath } of additionalPrinterColumns) expect(jsonPath).not.toMatch(/Bytes$/);
    const sizes = additionalPrinterColumns.filter(({ jsonPath }) => /\.(size|available|promised|total|used)$/.test(jsonPath));
    for (const { jsonPath } of sizes) expect(found(schema.openAPIV3Schema, `${jsonPath.slice(1)}Bytes`)).toMatchObject({ type: "integer", format: "int64" });
  },
);
