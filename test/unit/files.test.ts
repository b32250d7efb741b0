import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ignoreMissing, unfinishedOf, writeLasting } from "../../src/files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-files-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("a lasting file takes the place of the one before it, and of what an interrupted writing has left", async () => {
  const path = join(folder, "file");
  await writeFile(path, "before, and longer");
  await writeFile(unfinishedOf(path), "half of something else");
  await writeLasting(path, "after", 0o600);
  expect(await readFile(path, "utf8")).toBe("after");
  expect(await readdir(folder)).toEqual(["file"]);
});

test("one that cannot be put in place leaves what is there, and says so", async () => {
  const path = join(folder, "is-a-folder");
  await writeLasting(join(folder, "file"), "kept", 0o600);
  await expect(writeLasting(join(folder, "file", "below"), "new", 0o600)).rejects.toThrow("ENOTDIR");
  await expect(writeLasting(join(path, "file"), "new", 0o600)).rejects.toThrow("ENOENT");
  expect(await readFile(join(folder, "file"), "utf8")).toBe("kept");
});

test("what is missing is nothing; what cannot be looked at is an error", async () => {
  await writeFile(join(folder, "file"), "");
  expect(await stat(join(folder, "none")).catch(ignoreMissing)).toBeUndefined();
  await expect(stat(join(folder, "file", "below")).catch(ignoreMissing)).rejects.toThrow("ENOTDIR");
});
