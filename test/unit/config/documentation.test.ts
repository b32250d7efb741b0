import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { z } from "zod";
import { EXAMPLE } from "../../../src/config/example.ts";
import { readYaml } from "../../../src/config/load.ts";
import { standaloneDocument } from "../../../src/config/standalone.ts";
import { parse } from "./document.ts";

type Shape = z.core.JSONSchema.JSONSchema;

/** Every option of the schema by its path, with the default as it is spelled; "required", or "" where there is none. */
function options(shape: Shape, path = ""): [string, string][] {
  const inner = [shape, ...(shape.anyOf ?? [])] as Shape[];
  return inner.flatMap(({ properties = {}, required = [], items }) => [
    ...Object.entries(properties).flatMap(([key, property]) => {
      const below = property as Shape;
      const here = path === "" ? key : `${path}.${key}`;
      const value = required.includes(key) ? "required" : spell(below.default);
      return [[here, value] as [string, string], ...options(below, here)];
    }),
    ...(items === undefined ? [] : options(items as Shape, `${path}[]`)),
  ]);
}

const spell = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? JSON.stringify(value) : "";

const schema = z.toJSONSchema(standaloneDocument, { io: "input" });

test("docs/configuration.md names every option, no other, and its true default", async () => {
  const page = await readFile(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  const rows: (readonly [string, string])[] = [...page.matchAll(/^\| `([^`]+)` \| (?:`([^`]*)`|(required))? *\| (\S.*) \|$/gm)].map(
    ([, path = "", value, required]) => [path, value ?? required ?? ""],
  );
  const groups = ["log", "metrics", "testing"]; // these have no line of their own: their options have
  const wanted = options(schema).filter(([path]) => !groups.includes(path));
  expect(new Map(rows)).toEqual(new Map(wanted));
  expect(rows).toHaveLength(wanted.length);
});

test.each(["configuration.md", "pools.md", "migration-from-docker.md"])("every YAML block of docs/%s is a configuration that works", async (name) => {
  const page = await readFile(new URL(`../../../docs/${name}`, import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
  expect(blocks).not.toHaveLength(0);
  for (const block of blocks) expect(parse(readYaml(block, "docs")).pools).not.toHaveLength(0);
});

const described = (shape: Shape): boolean => typeof shape.description === "string" && shape.description.endsWith(".");

test("the schema describes each option in a sentence, which the ThinPool's schema will carry", () => {
  const missing = Object.entries(schema.properties ?? {}).filter(([, property]) => !described(property as Shape));
  expect(missing.map(([key]) => key)).toEqual([]);
});

test("the example names every option but Docker's words and those for testing", () => {
  const names = options(schema).map(([path]) => path.split(/[.[\]]+/).at(-1) ?? "");
  const absent = names.filter((name) => name !== "" && !new RegExp(`\\b${name}:`).test(EXAMPLE));
  expect(absent).toEqual(["storageOpts", "testing", "enableAttach", "attachLimit"]);
});
