import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cached } from "./cache.ts";

const usual = process.env["XDG_CACHE_HOME"];
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-cache-"));
  process.env["XDG_CACHE_HOME"] = folder;
});

afterEach(async () => {
  if (usual === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = usual;
  await rm(folder, { recursive: true });
});

test("two first runs build a folder once, and both get it whole", async () => {
  let builds = 0;
  const build = async (draft: string) => {
    builds += 1;
    await sleep(100);
    await writeFile(join(draft, "file"), "whole");
  };
  const [one, other] = await Promise.all([cached("tree", build), cached("tree", build)]);
  expect(one).toBe(other);
  expect(builds).toBe(1);
  expect(await readdir(one)).toEqual(["file"]);
});

async function half(draft: string): Promise<void> {
  await writeFile(join(draft, "half"), "");
  throw new Error("no space left");
}

test("a build that fails half way leaves nothing that a later run would take for whole", async () => {
  await expect(cached("tree", half)).rejects.toThrow("no space left");
  expect(await readdir(join(folder, "dmthin"))).toEqual(["tree.lock"]);
  expect(await readdir(await cached("tree", (draft) => writeFile(join(draft, "file"), "")))).toEqual(["file"]);
});

test("what a killed build left behind is removed by the next one", async () => {
  await mkdir(join(folder, "dmthin/tree.draft-killed"), { recursive: true });
  await cached("tree", (draft) => writeFile(join(draft, "file"), ""));
  expect((await readdir(join(folder, "dmthin"))).toSorted()).toEqual(["tree", "tree.lock"]);
});
