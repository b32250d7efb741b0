import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { z } from "zod";
import { controllerDocument, parseControllerConfig } from "../../../src/config/controller.ts";
import { EXAMPLE } from "../../../src/config/example.ts";
import { readYaml } from "../../../src/config/load.ts";
import { nodeDocument, parseNodeConfig } from "../../../src/config/node.ts";
import { CONTROLLER_EXAMPLE, NODE_EXAMPLE } from "../../../src/config/role-examples.ts";
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

const schemaOf = (document: z.ZodType): Shape => z.toJSONSchema(document, { io: "input" });
const schema = schemaOf(standaloneDocument);

/** The page has a chapter for each role's file; what comes before the first of them is standalone's. */
const chapters = { standalone: standaloneDocument, node: nodeDocument, controller: controllerDocument };

async function chapter(role: keyof typeof chapters): Promise<string> {
  const page = await readFile(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  const [standalone = "", node = "", controller = ""] = page.split(/^## dmthin (?:node|controller)$/m);
  return { standalone, node, controller }[role];
}

test.each(["standalone", "node", "controller"] as const)("docs/configuration.md names every option of %s, no other, and its true default", async (role) => {
  const rows: (readonly [string, string])[] = [...(await chapter(role)).matchAll(/^\| `([^`]+)` \| (?:`([^`]*)`|(required))? *\| (\S.*) \|$/gm)].map(
    ([, path = "", value, required]) => [path, value ?? required ?? ""],
  );
  const groups = ["log", "metrics", "testing"]; // these have no line of their own: their options have
  const wanted = options(schemaOf(chapters[role])).filter(([path]) => !groups.includes(path));
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

test.each(Object.entries(chapters))("the schema of %s describes each option in a sentence", (_, document) => {
  const missing = Object.entries(schemaOf(document).properties ?? {}).filter(([, property]) => !described(property as Shape));
  expect(missing.map(([key]) => key)).toEqual([]);
});

test.each([
  ["standalone", schema, EXAMPLE, ["storageOpts"]],
  ["node", schemaOf(nodeDocument), NODE_EXAMPLE, []],
  ["controller", schemaOf(controllerDocument), CONTROLLER_EXAMPLE, []],
])("the example of %s names every option but Docker's words and those for testing", (_, shape, example, others) => {
  const names = options(shape).map(([path]) => path.split(/[.[\]]+/).at(-1) ?? "");
  const absent = names.filter((name) => name !== "" && !new RegExp(`\\b${name}:`).test(example));
  expect(absent.filter((name) => !["testing", "enableAttach", "attachLimit"].includes(name))).toEqual(others);
});

const shown = (example: string): string => example.replaceAll(/^(\s*)# (?=\s*\w+:)/gm, "$1");

test("the examples of the roles work as they stand, and what they show as commented out is the default", () => {
  const defaults = { kubeconfig: "/etc/dmthin/kubeconfig" };
  const node = parseNodeConfig(readYaml(NODE_EXAMPLE, "example"), "example", "node1");
  expect(parseNodeConfig(readYaml(shown(NODE_EXAMPLE), "example"), "example")).toEqual({ ...node, ...defaults });
  const controller = parseControllerConfig(readYaml(CONTROLLER_EXAMPLE, "example"), "example", "dmthin");
  expect(parseControllerConfig(readYaml(shown(CONTROLLER_EXAMPLE), "example"), "example")).toEqual({ ...controller, ...defaults });
});
