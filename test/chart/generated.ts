import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import * as z from "zod";
import { customResourceDefinitions, thinPoolSpec } from "../../src/cluster/objects/crd.ts";
import { checkout } from "../lab/checkout.ts";

export const CHART = join(checkout, "charts/dmthin");

const HEADER = '# Generated from src/cluster/objects by "npm run generate".\n';

/** What of the chart is made from the sources: a text for each path. The chart's templates take the definitions up as they are. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const definitions = customResourceDefinitions().map(
    (each) => [`files/crds/${each.metadata.name}.yaml`, HEADER + stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })] as const,
  );
  const rules = await readFile(join(checkout, "alerts/dmthin.rules.yaml"), "utf8");
  return new Map([...definitions, ["files/alerts/dmthin.rules.yaml", rules], ["values.schema.json", await valuesSchema()]]);
}

/** The values' schema is written by hand, but for what a pool's options are. */
async function valuesSchema(): Promise<string> {
  const schema = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8")) as { definitions: Record<string, unknown> };
  const { $schema: _, ...thinPool } = z.toJSONSchema(thinPoolSpec, {
    io: "input",
    target: "draft-7",
    // helm is of Go, whose regular expressions have no lookahead.
    override: ({ jsonSchema }) => {
      if (jsonSchema.pattern?.includes("(?!")) delete jsonSchema.pattern;
    },
  });
  schema.definitions["thinPool"] = thinPool;
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** Writes them, and removes definitions of kinds that are no more. */
export async function generateChart(): Promise<void> {
  const files = await generatedFiles();
  await mkdir(join(CHART, "files/crds"), { recursive: true });
  for (const name of await readdir(join(CHART, "files/crds"))) if (!files.has(`files/crds/${name}`)) await rm(join(CHART, "files/crds", name));
  for (const [path, text] of files) await writeFile(join(CHART, path), text);
}
