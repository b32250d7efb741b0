import { expect, test } from "@jest/globals";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageOf, PROGRAMS } from "../../../src/exec/programs.ts";

test("a program outside the table is named itself, not a wrong package", () => {
  expect(packageOf("mkfs.ext4")).toBe("e2fsprogs");
  expect(packageOf("toString")).toBe("toString");
  expect(packageOf("mkfs.zfs")).toBe("mkfs.zfs");
});

test("whatever the sources run is in the table, so that a missing program is told with its package", async () => {
  const sources = join(import.meta.dirname, "../../../src");
  const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(files.map(async (file) => readFile(join(sources, file), "utf8")));
  const named = texts.flatMap((text) => [...text.matchAll(/\brun\(\s*\[\s*"([^"]+)"/g)].map((match) => match[1] ?? ""));
  expect(named.filter((name) => !(PROGRAMS as readonly string[]).includes(name))).toEqual([]);
});
