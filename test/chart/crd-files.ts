import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { customResourceDefinitions } from "../../src/cluster/objects/crd.ts";
import { checkout } from "../lab/checkout.ts";

export const CHART = join(checkout, "charts/dmthin");
/** The chart's templates take them up as they are; `kubectl apply -f` takes them too. */
export const CRD_FILES = join(CHART, "files/crds");

const HEADER = '# Generated from src/cluster/objects by "npm run generate".\n';

/** Writes the CustomResourceDefinitions of our objects, a file each, and nothing else, into a folder. */
export async function writeCrds(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name));
  for (const definition of customResourceDefinitions()) {
    const text = stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false });
    await writeFile(join(folder, `${definition.metadata.name}.yaml`), HEADER + text);
  }
}
