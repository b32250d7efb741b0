import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import packageJson from "../../package.json" with { type: "json" };
import { createAdminServer } from "../../src/csi/admin-service.ts";
import { silentLogger } from "../../src/logger.ts";
import { fakeTrims } from "./csi/fake-trims.ts";
import { FakeUpkeep } from "./csi/fake-upkeep.ts";

jest.setTimeout(60_000); // programs of their own, on a machine that has other work
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const node = (options: readonly string[], ...argv: readonly string[]): readonly string[] => [
  "--disable-warning=ExperimentalWarning",
  ...options,
  MAIN,
  ...argv,
];
const dmthin = (...argv: readonly string[]) => spawnSync(process.execPath, node([], ...argv), { encoding: "utf8" });

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dmthin-main-"));
});
afterAll(async () => rm(directory, { recursive: true }));

test("--version is the package's", () => {
  expect(dmthin("--version")).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: "" });
});

test("exit codes: 2 for bad usage, 1 for failure, 0 for success", async () => {
  const file = join(directory, "bad.yaml");
  await writeFile(file, "pools: []\n");
  expect(dmthin("nonsense").status).toBe(2);
  expect(dmthin("config", "check", file).status).toBe(1);
  expect(dmthin("standalone", "--config", file)).toMatchObject({
    status: 1,
    stdout: "",
    stderr: `dmthin: ${file} is not valid:\n  pools: at least one pool is needed\n`,
  });
  expect(dmthin("config", "example").status).toBe(0);
});

test("a reader that goes away, as head does, is no failure", async () => {
  const child = spawn(process.execPath, node([], "config", "example"), { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let complaint = "";
  child.stderr.on("data", (chunk) => (complaint += String(chunk)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, complaint }).toEqual({ code: 0, complaint: "" });
});

/** A driver that has megabytes to tell, and a command that asks it. */
async function asking(...command: readonly string[]) {
  const socket = join(directory, "talkative.sock");
  const server = createAdminServer({
    pools: () => [],
    upkeep: new FakeUpkeep(),
    trims: fakeTrims,
    version: "9".repeat(LONG),
    node: "node-1",
    logger: silentLogger,
  });
  await server.listen(socket);
  const child = spawn(process.execPath, node([], ...command, "--socket", socket), { stdio: ["ignore", "pipe", "pipe"] });
  const code = new Promise((resolve) => child.once("close", resolve));
  return { stdout: child.stdout, stderr: child.stderr, code, [Symbol.asyncDispose]: async () => server.close(AbortSignal.abort()) };
}

const LONG = 3 * 1024 ** 2;

test("who reads slowly gets all of a command's output", async () => {
  await using asked = await asking("info", "--json");
  let output = "";
  for await (const chunk of asked.stdout.setEncoding("utf8")) {
    output += String(chunk);
    await sleep(5);
  }
  expect(await asked.code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ driverVersion: "9".repeat(LONG) });
});

test("a reader that goes away in the middle of much ends a command that shows something again and again", async () => {
  await using asked = await asking("info", "--json", "--watch", "--interval", "0.1");
  asked.stdout.once("readable", () => asked.stdout.destroy());
  let complaint = "";
  asked.stderr.on("data", (chunk) => (complaint += String(chunk)));
  expect({ code: await asked.code, complaint }).toEqual({ code: 0, complaint: "" });
});

test("a reader that goes away does not make a success of a failure", async () => {
  const child = spawn(process.execPath, node([], "info", "--socket", join(directory, "absent.sock")), { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  child.stderr.destroy();
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
});

test.each([
  ["a rejection that nobody handles", "Promise.reject(new Error('lost'))"],
  ["an exception that nobody catches", "throw new Error('lost')"],
])("%s is logged with its stack, and ends the program with 70", async (_, statement) => {
  const socket = join(directory, "silent.sock");
  const server = createServer().listen(socket);
  const meanwhile = `data:text/javascript,setTimeout(() => { ${statement} }, 300)`;
  const child = spawn(process.execPath, node(["--import", meanwhile], "info", "--socket", socket), { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => (log += String(chunk)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  server.close();
  expect(code).toBe(70);
  expect(log).toMatch(/^dmthin: a fault of dmthin itself: please report it: Error: lost\n +at /);
});
