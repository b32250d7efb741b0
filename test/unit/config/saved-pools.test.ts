import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { SavedPools } from "../../../src/config/saved-pools.ts";
import { silentLogger } from "../../../src/logger.ts";
import { recordingLogger } from "../csi/served.ts";

let state = "";
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "dmthin-saved-"));
});
afterEach(async () => rm(state, { recursive: true }));

const pool = (name: string, generation = 1) => ({ name, uid: `uid of ${name}`, generation, spec: { backing: { loop: { directory: "/srv" } } } });

test("what was accepted is there again, each pool by its last word, until it is removed", async () => {
  const saved = new SavedPools(state, silentLogger);
  expect(await saved.read()).toEqual([]);
  await saved.remove("never");
  await saved.write(pool("b"));
  await saved.write(pool("a"));
  await saved.write(pool("b", 2));
  expect(await new SavedPools(state, silentLogger).read()).toEqual([pool("a"), pool("b", 2)]);
  await saved.remove("a");
  expect(await saved.read()).toEqual([pool("b", 2)]);
});

test("a writing that was interrupted leaves what was there", async () => {
  const saved = new SavedPools(state, silentLogger);
  await saved.write(pool("a"));
  await writeFile(join(state, "thinpools.d/a.json.unfinished"), "{");
  expect(await saved.read()).toEqual([pool("a")]);
});

test.each([["{"], ["[]"], ["null"], ['{"name":"a","uid":"u","generation":"1","spec":{}}'], ['{"name":"other","uid":"u","generation":1,"spec":{}}']])(
  "what is no saved pool is said, and left where it is: %s",
  async (text) => {
    const { logger, lines } = recordingLogger();
    const saved = new SavedPools(state, logger);
    await saved.write(pool("b"));
    await writeFile(join(state, "thinpools.d/a.json"), text);
    expect(await saved.read()).toEqual([pool("b")]);
    expect(lines).toContainEqual(expect.objectContaining({ level: "error", path: join(state, "thinpools.d/a.json") }));
    expect(await readdir(join(state, "thinpools.d"))).toContain("a.json");
  },
);
