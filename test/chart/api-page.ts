import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { customResourceDefinitions, type CustomResourceDefinition } from "../../src/cluster/objects/crd.ts";
import type { StructuralSchema } from "../../src/cluster/objects/structural.ts";
import { checkout } from "../lab/checkout.ts";

export const API_PAGE = join(checkout, "docs/api.md");

const HEAD = `<!-- Generated from src/cluster/objects by "npm run generate". -->

# API reference

The objects of \`dmthin.io/v1alpha1\`, all cluster-scoped. \`kubectl explain\` says the same. Administrators write ThinPools; the others are made by the driver, to be read. A pool's options are explained at more length in [configuration.md](configuration.md) and [pools.md](pools.md).
`;

/** docs/api.md, from the same schemas as the definitions that the API server gets. */
export const apiPage = (): string => [HEAD, ...customResourceDefinitions().map(section)].join("\n");

export const writeApiPage = async (): Promise<void> => writeFile(API_PAGE, apiPage());

function section({ spec: { names, versions } }: CustomResourceDefinition): string {
  const [version] = versions;
  const schema = version?.schema.openAPIV3Schema ?? {};
  const rules = rulesOf(schema, "");
  return [
    `## ${names.kind}`,
    "",
    `${schema.description ?? ""} Short name: \`${names.shortNames.join(", ")}\`.`,
    "",
    ...["spec", "status"].flatMap((part) => table(part, schema.properties?.[part] ?? {})),
    ...(rules.length === 0 ? [] : ["What the API server holds it to:", "", ...rules.map((rule) => `- ${rule}`), ""]),
  ].join("\n");
}

function table(name: string, schema: StructuralSchema): readonly string[] {
  const rows = fieldsOf(schema, name);
  return rows.length === 0 ? [] : ["| field | type | |", "|---|---|---|", ...rows, ""];
}

function fieldsOf({ properties = {}, required = [] }: StructuralSchema, above: string): readonly string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const path = `${above}.${key}`;
    const { item, suffix } = itemOf(schema);
    const text = [schema.description ?? item.description ?? "", required.includes(key) ? "Required." : ""].filter((part) => part !== "").join(" ");
    return [`| \`${path}${suffix}\` | ${typeOf(item)} | ${text.replaceAll("|", "\\|")} |`, ...fieldsOf(item, `${path}${suffix}`)];
  });
}

/** What a list is of, or a map. */
function itemOf(schema: StructuralSchema): { readonly item: StructuralSchema; readonly suffix: string } {
  if (schema.items !== undefined) return { item: schema.items, suffix: "[]" };
  if (schema.additionalProperties !== undefined) return { item: schema.additionalProperties, suffix: "{}" };
  return { item: schema, suffix: "" };
}

function typeOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema["x-kubernetes-int-or-string"] === true) return "number or text";
  return schema.type ?? "anything";
}

function rulesOf(schema: StructuralSchema, path: string): readonly string[] {
  const here = (schema["x-kubernetes-validations"] ?? []).map(({ message }) => (path === "" ? message : `\`${path}\`: ${message}`));
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => rulesOf(inner, path === "" ? key : `${path}.${key}`));
  const items = schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`);
  return [...here, ...below, ...items];
}
