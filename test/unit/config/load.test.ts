import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { EXAMPLE } from "../../../src/config/example.ts";
import { loadConfig, readYaml } from "../../../src/config/load.ts";
import { parse, problemsOf } from "./document.ts";

describe("a file", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "dmthin-config-"));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const load = async (name: string, text: string) => {
    const path = join(directory, name);
    await writeFile(path, text);
    return loadConfig(path);
  };

  test("in JSON says the same as one in YAML", async () => {
    const yaml = await load("a.yaml", "pools:\n  - name: a\n    backing: {loop: {directory: /a}}\nsocketMode: '0660'\n");
    const json = await load("a.json", '{"pools":[{"name":"a","backing":{"loop":{"directory":"/a"}}}],"socketMode":"0660"}');
    expect(json).toEqual(yaml);
    expect(json.socketMode).toBe(0o660);
  });

  test("that is not there is named, with what to do about a default", async () => {
    const none = join(directory, "none.yaml");
    await expect(loadConfig(none)).rejects.toMatchObject({ message: `there is no ${none}: name the configuration with --config` });
    await expect(loadConfig(none, "as argument")).rejects.toMatchObject({ message: `there is no ${none}` });
    await expect(loadConfig(directory)).rejects.toThrow(/ is not valid:\n {2}\(document\): cannot be read: EISDIR/);
  });

  test("with problems is named, with one line for each", async () => {
    await expect(load("b.yaml", "pools: 3\nlog: 4\n")).rejects.toThrow(
      `${directory}/b.yaml is not valid:\n  pools: 3 is not a list\n  log: 4 is not a mapping`,
    );
  });
});

const paths = (text: string) => problemsOf(() => readYaml(text, "x")).map(({ path }) => path);

describe("YAML that is none", () => {
  test("is told where: line and column", () => {
    expect(problemsOf(() => readYaml("pools:\n - name: [a\n", "x"))).toEqual([{ path: "line 3, column 1", message: expect.stringContaining("]") }]);
  });
  test("a key given twice is not settled by the last", () => expect(paths("a: 1\nb: 2\na: 3\n")).toEqual(["line 3, column 1"]));
  test("a second document is not dropped in silence", () => expect(paths("a: 1\n---\nb: 1\n")).toHaveLength(1));
  test("an alias to nothing", () => expect(paths("a: *b\n")).toHaveLength(1));
  test("aliases that multiply do not fill the memory", () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`);
    expect(paths(["l0: &l0 [x]", ...levels].join("\n"))).toHaveLength(1);
  });
  test("an empty file, with what to do", () => {
    expect(problemsOf(() => readYaml("# nothing\n", "x"))[0]?.message).toContain("dmthin config example");
  });
});

describe("the example", () => {
  test("works as it stands", () => {
    expect(parse(readYaml(EXAMPLE, "example")).pools).toHaveLength(1);
  });

  /** Its comments say what the defaults are: taken in, they change nothing. */
  test("shows true defaults in its comments", () => {
    const uncommented = EXAMPLE.replaceAll(/^( *)# (?= *(?:- )?\w+:(?: |$))/gm, "$1");
    const config = parse(readYaml(uncommented, "example"), "node1");
    expect(uncommented).not.toMatch(/^\s*# (?:\w+):/m);
    expect(config.pools.map((pool) => pool.backing.kind)).toEqual(["loop", "directLvm", "devices", "existing"]);
    const [plain] = parse(readYaml(EXAMPLE, "example"), "node1").pools;
    expect({ ...config, pools: config.pools[0] }).toEqual({ ...parse(readYaml(EXAMPLE, "example"), "node1"), pools: plain });
  });
});
