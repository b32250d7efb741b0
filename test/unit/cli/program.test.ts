import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { AskDriver } from "../../../src/cli/info.ts";
import { EXAMPLE } from "../../../src/config/example.ts";
import { runLine } from "./command-line.ts";
import { driver } from "./pools.ts";

const unreachable: AskDriver = async () => Promise.reject(new Error("14 UNAVAILABLE"));

const run = async (argv: readonly string[], askDriver: AskDriver = unreachable) => runLine(argv, { askDriver });

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dmthin-cli-"));
});
afterEach(async () => rm(directory, { recursive: true }));

describe("bad usage ends with 2 and one sentence", () => {
  test.each([
    [["standalone"], 'dmthin: name a configuration file with --config; see "dmthin standalone --help"\n'],
    [["standalone", "--config"], "dmthin: option '-c, --config <file>' argument missing; see \"dmthin standalone --help\"\n"],
    [["standalone", "--confg", "x"], "dmthin: unknown option '--confg' (Did you mean --config?); see \"dmthin standalone --help\"\n"],
    [["inof"], "dmthin: unknown command 'inof' (Did you mean info?); see \"dmthin --help\"\n"],
    [["config", "check"], "dmthin: missing required argument 'file'; see \"dmthin config check --help\"\n"],
    [["info", "extra"], "dmthin: too many arguments for 'info'. Expected 0 arguments but got 1: extra; see \"dmthin info --help\"\n"],
  ])("%j", async (argv, error) => {
    expect(await run(argv)).toEqual({ code: 2, output: "", error, started: [] });
  });

  test.each([[[]], [["config"]], [["pool"]]])("a command is missing: %j prints the help, to where complaints go", async (argv) => {
    const result = await run(argv);
    expect(result).toMatchObject({ code: 2, output: "" });
    expect(result.error).toContain("Usage: dmthin");
  });
});

test("--version is the package's", async () => {
  expect(await run(["--version"])).toEqual({ code: 0, output: "1.2.3\n", error: "", started: [] });
});

test.each([
  [["--help"]],
  [["standalone", "--help"]],
  [["node", "--help"]],
  [["controller", "--help"]],
  [["info", "--help"]],
  [["volume", "--help"]],
  [["volume", "ls", "--help"]],
  [["volume", "show", "--help"]],
  [["config", "--help"]],
  [["pool", "--help"]],
  [["pool", "extend", "--help"]],
  [["pool", "orphans", "--help"]],
  [["pool", "check", "--help"]],
  [["doctor", "--help"]],
  [["pool", "repair", "--help"]],
  [["pool", "import", "--help"]],
  [["pool", "remove", "--help"]],
  [["config", "check", "--help"]],
  [["config", "example", "--help"]],
  [["config", "from-docker", "--help"]],
])("%j shows examples in 80 columns", async (argv) => {
  const { code, output } = await run(argv);
  expect(code).toBe(0);
  expect(output).toMatch(/\nExamples:\n {2}dmthin /);
  expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each([["standalone"], ["node"], ["controller"]])("%s starts the driver with the file that was named, and ends with its exit code", async (role) => {
  expect(await run([role, "--config", "/etc/dmthin.yaml"])).toMatchObject({ code: 7, started: [`${role} /etc/dmthin.yaml`], error: "" });
});

describe("config", () => {
  test("example prints what check then accepts", async () => {
    const example = await run(["config", "example"]);
    expect(example).toMatchObject({ code: 0, output: EXAMPLE });
    const file = join(directory, "c.yaml");
    await writeFile(file, example.output);
    const checked = await run(["config", "check", file]);
    expect(checked).toMatchObject({ code: 0, error: "" });
    expect(checked.output).toBe(
      `${file} is valid.\n  pool fast (default): 100 GiB of data and 219 MiB of metadata in files in /var/lib/dmthin/fast, chunks of 64 KiB, ext4\n`,
    );
  });

  test("check says what is wrong on stderr, and ends with 1", async () => {
    const file = join(directory, "c.yaml");
    await writeFile(file, "pools: []\nsokcet: /x\n");
    expect(await run(["config", "check", file])).toEqual({
      code: 1,
      output: "",
      error: `dmthin: ${file} is not valid:\n  pools: at least one pool is needed\n  sokcet: there is no such option: did you mean socket?\n`,
      started: [],
    });
  });
});

test.each([
  ["standalone", /pool fast/],
  ["node", /node as NODE_NAME tells it in its pod/],
  ["controller", /controller in the namespace that POD_NAMESPACE tells in its pod/],
])("config check takes the example of role %s anywhere: what only a pod is told is no fault of the file", async (role, summary) => {
  const { output } = await run(["config", "example", "--role", role]);
  const file = join(directory, "example.yaml");
  await writeFile(file, output);
  expect(await run(["config", "check", file, "--role", role])).toMatchObject({ code: 0, error: "", output: expect.stringMatching(summary) });
});

test("config check of a node's file says what is wrong in it, its name too", async () => {
  const file = join(directory, "node.yaml");
  await writeFile(file, "nodeName: Node_1\n");
  expect(await run(["config", "check", file, "--role", "node"])).toMatchObject({
    code: 1,
    error: expect.stringContaining('"Node_1" is not the name of a Node'),
  });
});

test("config check of a file without pools says that it may be another role's", async () => {
  const file = join(directory, "node.yaml");
  await writeFile(file, "nodeName: one\n");
  expect(await run(["config", "check", file])).toMatchObject({ code: 1, error: expect.stringMatching(/pools: is required \(.*--role node/) });
  expect(await run(["config", "check", file, "--role", "node"])).toMatchObject({ code: 0, error: "" });
});

describe("config from-docker", () => {
  test("prints what check then accepts, and says on stderr what it left out", async () => {
    const [daemon, file] = [join(directory, "daemon.json"), join(directory, "c.yaml")];
    const options = ["dm.thinpooldev=docker-thinpool", "dm.libdm_log_level=3"];
    await writeFile(daemon, JSON.stringify({ "storage-driver": "devicemapper", "storage-opts": options }));
    const { code, output, error } = await run(["config", "from-docker", daemon]);
    expect(code).toBe(0);
    expect(error.split("\n")).toEqual([
      "dmthin: Docker's images and containers are not taken over: this describes a pool that is empty",
      expect.stringMatching(/^dmthin: left out: dm\.libdm_log_level: /),
      expect.stringMatching(/^dmthin: the thin pool docker\/thinpool is taken only when/),
      "",
    ]);
    await writeFile(file, output);
    expect((await run(["config", "check", file])).output).toBe(
      `${file} is valid.\n  pool docker (default): the thin pool docker/thinpool with the chunks that it has, xfs\n`,
    );
  });

  test("of a file that is not there, or of another driver's, fails with its name", async () => {
    const daemon = join(directory, "daemon.json");
    expect(await run(["config", "from-docker", daemon])).toMatchObject({ code: 1, output: "", error: `dmthin: there is no ${daemon}\n` });
    await writeFile(daemon, '{"storage-driver": "overlay2"}');
    expect(await run(["config", "from-docker", daemon])).toMatchObject({ code: 1, output: "", error: expect.stringContaining("only devicemapper's") });
  });
});

describe("info", () => {
  test("prints each pool", async () => {
    const { code, output, error } = await run(["info"], async () => driver);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(output).toMatch(
      /^dmthin 0\.1\.0 on node1, 2 pools\ndevice-mapper 4\.50\.0, thin-pool 1\.23\.0, thin 1\.23\.0; udev is never waited for\n\nfast {2}\(default\)/,
    );
    expect(output).toContain("\n\na-pool-whose-name-has-forty-characters-ok");
    expect(output).toMatch(/[^\n]\n$/);
  });

  test("--json prints what the driver said, for programs", async () => {
    const { output } = await run(["info", "--json"], async () => driver);
    expect(JSON.parse(output)).toEqual(JSON.parse(JSON.stringify(driver)));
  });

  test("asks the socket it is told", async () => {
    const asked: string[] = [];
    const ask: AskDriver = async (socket) => {
      asked.push(socket);
      return driver;
    };
    await run(["info"], ask);
    await run(["info", "--socket", "/x/admin.sock"], ask);
    await run(["info", "-s", "unix:///x/admin.sock"], ask);
    expect(asked).toEqual(["/run/dmthin/admin.sock", "/x/admin.sock", "/x/admin.sock"]);
  });

  test("without a socket says that no driver runs, and how to start one", async () => {
    const { code, error } = await run(["info", "--socket", join(directory, "none.sock")]);
    expect(code).toBe(1);
    expect(error).toBe(
      `dmthin: no driver runs here: there is no socket ${directory}/none.sock; start one with "dmthin standalone --config FILE", or name its adminSocket with --socket\n`,
    );
  });

  test("says when the path is no socket", async () => {
    await writeFile(join(directory, "file"), "");
    expect((await run(["info", "--socket", join(directory, "file")])).error).toContain(`${directory}/file is not a socket`);
  });

  test("says when nobody answers on it", async () => {
    const path = join(directory, "s.sock");
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      expect((await run(["info", "--socket", path])).error).toContain(`no driver answers on ${path} (14 UNAVAILABLE)`);
    } finally {
      server.close();
    }
  });
});
