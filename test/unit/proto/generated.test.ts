import { expect, test } from "@jest/globals";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate, GENERATED } from "./generator.ts";

test('src/csi/generated is what proto/ says: after a change there, run "npm run generate"', async () => {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-proto-"));
  try {
    await generate(folder);
    const names = await readdir(folder);
    expect((await readdir(GENERATED)).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(await readFile(join(GENERATED, name), "utf8")).toBe(await readFile(join(folder, name), "utf8"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
