import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { PROGRAMS, packageOf } from "../../src/exec/programs.ts";

const dockerfile = await readFile(new URL("../../Dockerfile", import.meta.url), "utf8");
const words = (pattern: RegExp): ReadonlySet<string> => new Set((pattern.exec(dockerfile)?.[1] ?? "").split(/[\s\\]+/).filter((word) => word !== ""));

test("the image has the package of every program that the driver runs, and its build looks whether the program starts", () => {
  const packages = words(/\n {4}apt-get install -y --no-install-recommends ([^;]*);/);
  const checked = words(/for program in ([^;]*);/);
  expect(PROGRAMS.map(packageOf).filter((name) => !packages.has(name))).toEqual([]);
  expect(PROGRAMS.filter((program) => !checked.has(program))).toEqual([]);
});

test("the image is built from names alone: which registry they come from is the builder's to say", () => {
  for (const [, image = ""] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/^[a-z]+:[a-z-]+$/);
});
