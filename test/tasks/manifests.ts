import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MANIFESTS, renderedManifests } from "../chart/manifests.ts";

/** manifests/dmthin*.yaml, after a change of the chart. Needs helm, which is built the first time. */
for (const [name, text] of await renderedManifests()) await writeFile(join(MANIFESTS, name), text);
