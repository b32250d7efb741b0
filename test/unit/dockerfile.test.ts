import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { PROGRAMS, packageOf } from "../../src/exec/programs.ts";
import { BASE_IMAGES } from "../lab/cluster/buildah.ts";

const file = (name: string): Promise<string> => readFile(new URL(`../../${name}`, import.meta.url), "utf8");
const dockerfile = await file("Dockerfile");
const words = (pattern: RegExp): ReadonlySet<string> => new Set((pattern.exec(dockerfile)?.[1] ?? "").split(/[\s\\]+/).filter((word) => word !== ""));
const stages = [...dockerfile.matchAll(/^FROM (?:--platform=(\S+) )?(\S+)/gm)].map(([, platform, image]) => ({ platform, image }));

test("the image has the package of every program that the driver runs, and its build looks whether the program starts", () => {
  const packages = words(/\n {4}apt-get install -y --no-install-recommends ([^;]*);/);
  const checked = words(/for program in ([^;]*);/);
  expect(PROGRAMS.map(packageOf).filter((name) => !packages.has(name))).toEqual([]);
  expect(PROGRAMS.filter((program) => !checked.has(program))).toEqual([]);
});

test("the image is built from names alone: which registry they come from is the builder's to say", () => {
  for (const { image } of stages) expect(image).toMatch(/^[a-z]+:[a-z-]+$/);
  expect(stages.map(({ image }) => `docker.io/library/${image}`)).toEqual([BASE_IMAGES.build, BASE_IMAGES.final]);
});

test("what is compiled runs on the builder's architecture, what is shipped is of the image's", () => {
  expect(stages.map(({ platform }) => platform)).toEqual(["$BUILDPLATFORM", undefined]);
});

test("of each architecture that the image is built for, the lock file has Node and the native library, with what they must be", async () => {
  const { packages } = JSON.parse(await file("package-lock.json")) as { packages: Record<string, { integrity?: string }> };
  const names = [...dockerfile.matchAll(/\) arch=(\w+);/g)].map(([, name]) => name ?? "");
  expect(names).toEqual(["x64", "arm64"]);
  for (const name of names) {
    for (const needed of [`node-linux-${name}`, `@koromix/koffi-linux-${name}`]) {
      expect([needed, packages[`node_modules/${needed}`]?.integrity]).toEqual([needed, expect.stringMatching(/^sha512-/)]);
    }
  }
});
