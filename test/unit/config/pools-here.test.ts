import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { loadPoolsHere } from "../../../src/config/pools-here.ts";
import { SavedPools } from "../../../src/config/saved-pools.ts";
import { silentLogger } from "../../../src/logger.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-here-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function load(document: object): Promise<Awaited<ReturnType<typeof loadPoolsHere>>> {
  const path = join(folder, "config.json");
  await writeFile(path, JSON.stringify(document));
  return loadPoolsHere(path, silentLogger);
}

const loop = { backing: { loop: { directory: "/srv/fast", dataSize: "10Gi" } } };

test("a standalone file has its pools in it", async () => {
  expect(await load({ pools: [{ name: "fast", ...loop }] })).toMatchObject({ pools: [{ name: "fast" }], stateDirectory: "/var/lib/dmthin" });
});

test("a node's are those that it has last accepted, whatever node it is", async () => {
  const stateDirectory = join(folder, "state");
  await new SavedPools(stateDirectory, silentLogger).write({ name: "fast", uid: "u", generation: 3, spec: { ...loop, deletionPolicy: "Wipe" } });
  expect(await load({ stateDirectory, metrics: { listen: ":9808" } })).toEqual({
    pools: [expect.objectContaining({ name: "fast", backing: expect.objectContaining({ directory: "/srv/fast" }) })],
    stateDirectory,
    runDirectory: "/run/dmthin",
  });
});

test("a node that never had any says so", async () => {
  await expect(load({ stateDirectory: join(folder, "none"), nodeName: "one" })).rejects.toThrow(/no ThinPool was ever accepted on this node/);
});

test("what is wrong in a node's file is said as of a node's", async () => {
  await expect(load({ stateDirectory: "here", maxVolumesPerNode: -1 })).rejects.toThrow(/stateDirectory: "here" is not an absolute path\n.*maxVolumesPerNode/);
});
