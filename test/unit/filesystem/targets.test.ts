import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalTarget, makeTarget, removeTarget } from "../../../src/filesystem/targets.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-targets-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const unusable = { facts: { code: "path-unusable" } };

test.each(["directory", "file"] as const)("a %s is made, made again, removed, and removed again", async (kind) => {
  const path = join(folder, `target-${kind}`);
  for (let time = 0; time < 2; time++) await makeTarget(path, kind);
  expect((await lstat(path)).isDirectory()).toBe(kind === "directory");
  await expect(makeTarget(path, kind === "file" ? "directory" : "file")).rejects.toMatchObject(unusable);
  for (let time = 0; time < 2; time++) await removeTarget(path);
});

test("data that somebody put where a mount should be is never removed", async () => {
  const [directory, file] = [join(folder, "full"), join(folder, "full-file")];
  await mkdir(directory);
  await writeFile(join(directory, "data"), "kept");
  await writeFile(file, "kept");
  await expect(removeTarget(directory)).rejects.toMatchObject({ facts: { code: "path-unusable", reason: "it is not empty" } });
  await expect(removeTarget(file)).rejects.toMatchObject({ facts: { code: "path-unusable", reason: "the file is not empty" } });
  expect([await readFile(join(directory, "data"), "utf8"), await readFile(file, "utf8")]).toEqual(["kept", "kept"]);
});

test("a link in the target's place leads nowhere: neither made through nor removed through", async () => {
  const [elsewhere, link, dangling] = [join(folder, "elsewhere"), join(folder, "link"), join(folder, "dangling")];
  await mkdir(elsewhere);
  await symlink(elsewhere, link);
  await symlink(join(folder, "not-there"), dangling);
  await expect(makeTarget(link, "directory")).rejects.toMatchObject(unusable);
  await expect(makeTarget(dangling, "file")).rejects.toMatchObject(unusable);
  await expect(removeTarget(link)).rejects.toMatchObject(unusable);
  expect((await lstat(elsewhere)).isDirectory()).toBe(true);
  await expect(lstat(join(folder, "not-there"))).rejects.toThrow("ENOENT");
});

test.each(["relative", "", "/", "//", "/./", "/a/../b", "/a/..", "/a\0b"])("%j is no target", async (path) => {
  await expect(makeTarget(path, "directory")).rejects.toMatchObject(unusable);
  await expect(removeTarget(path)).rejects.toMatchObject(unusable);
  await expect(canonicalTarget(path)).rejects.toMatchObject(unusable);
});

test("a folder that should be there already is told missing", async () => {
  await expect(makeTarget(join(folder, "missing/target"), "directory")).rejects.toThrow("the folder it should lie in does not exist");
});

test("a target is named as the kernel's table of mounts names it, without looking at what is mounted there", async () => {
  const [real, link] = [join(folder, "kubelet"), join(folder, "kubelet-link")];
  await mkdir(real);
  await symlink(real, link);
  await symlink("/nowhere", join(real, "last"));
  expect(await canonicalTarget(join(link, "pod"))).toBe(join(real, "pod"));
  expect(await canonicalTarget(`${link}//pod/`)).toBe(join(real, "pod"));
  expect(await canonicalTarget(join(link, "last"))).toBe(join(real, "last"));
  expect(await canonicalTarget("/missing/a/./b/")).toBe("/missing/a/b");
});
