import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { CHART, generatedFiles } from "../../chart/generated.ts";

test('what of the chart is generated is what the sources say: after a change there, run "npm run generate"', async () => {
  const files = await generatedFiles();
  for (const [path, text] of files) expect({ path, text: await readFile(join(CHART, path), "utf8") }).toEqual({ path, text });
  for (const folder of ["files/crds", "files/alerts"]) {
    const names = (await readdir(join(CHART, folder))).map((name) => `${folder}/${name}`);
    expect(names.toSorted()).toEqual([...files.keys()].filter((path) => path.startsWith(folder)).toSorted());
  }
});
