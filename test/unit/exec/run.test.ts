import { afterEach, expect, test } from "@jest/globals";
import { execPath } from "node:process";
import { isError, type FactsOf } from "../../../src/errors.ts";
import { pendingPrograms } from "../../../src/exec/pending.ts";
import { run } from "../../../src/exec/run.ts";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

const node = (script: string): string[] => [execPath, "--eval", script];
const wait = "setInterval(() => undefined, 1000);";

async function failureOf(running: Promise<unknown>): Promise<FactsOf<"program-failed">> {
  const error: unknown = await running.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isError(error, "program-failed")) throw new Error("it did not fail as a program does", { cause: error });
  return error.facts;
}

const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat !== undefined && !stat.includes(") Z ");
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error("it never came to be");
}

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A file to see by how far a program has come. */
async function markerFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-exec-"));
  folders.push(folder);
  const path = join(folder, "marker");
  await writeFile(path, "");
  return path;
}
const contentOf = async (path: string): Promise<string> => readFile(path, "utf8");
const write = (path: string, expression: string): string => `require("node:fs").appendFileSync(${JSON.stringify(path)}, String(${expression}));`;

test("what a program is given as one argument stays one, whatever a shell would make of it", async () => {
  const argument = "a b;$(reboot) `x` *\n'\"";
  expect((await run([...node("process.stdout.write(process.argv[1])"), argument])).stdout).toBe(argument);
});

test("messages are in English, and nothing of the driver's environment leaks into a program", async () => {
  const { stdout } = await run(node("console.log(JSON.stringify(process.env))"), { env: { DM_DISABLE_UDEV: "1" } });
  expect(JSON.parse(stdout)).toEqual({ LC_ALL: "C", DM_DISABLE_UDEV: "1", PATH: expect.stringContaining("/usr/sbin") });
});

test("input is handed over, and without any a program reads an end at once", async () => {
  const cat = node("process.stdin.pipe(process.stdout)");
  expect((await run(cat, { input: "words" })).stdout).toBe("words");
  expect((await run(cat)).stdout).toBe("");
});

test("a failure tells what was run, how it ended and what it said", async () => {
  const argv = node("console.error('the reason'); process.exitCode = 4");
  expect(await failureOf(run(argv))).toEqual({
    code: "program-failed",
    argv,
    exitCode: 4,
    signal: undefined,
    stderr: "the reason\n",
    timedOut: false,
    aborted: false,
  });
});

test("an exit code that the caller expects is an answer", async () => {
  expect((await run(node("process.exitCode = 2"), { okExitCodes: [0, 2] })).exitCode).toBe(2);
});

test("a program that is not installed is told with the package that has it", async () => {
  const env = { PATH: "/nonexistent" };
  const text = "the program thin_check is not installed: install the package thin-provisioning-tools";
  await expect(run(["thin_check", "x"], { env })).rejects.toThrow(text);
  await expect(run(["thin_check", "x"], { env, neverKill: true })).rejects.toThrow(text);
});

test("a file that cannot be executed fails with the kernel's reason", async () => {
  const file = await markerFile();
  expect((await failureOf(run([file]))).stderr).toContain("EACCES");
});

test.each(["SIGTERM", "SIGKILL"])("at its deadline a program is gone, its descendants with it, when it takes a %s to end it", async (signal) => {
  const marker = await markerFile();
  const deaf = signal === "SIGKILL" ? "process.on('SIGTERM', () => undefined);" : "";
  const grandchild = `${deaf}${write(marker, 'process.pid + "\\n"')}${wait}`;
  const child = `${deaf}require("node:child_process").spawn(process.execPath, ["--eval", ${JSON.stringify(grandchild)}], { stdio: "inherit" });${wait}`;
  const running = failureOf(run(node(child), { deadlineMs: 1500 }));
  await until(async () => (await contentOf(marker)).endsWith("\n"));
  expect(await running).toMatchObject({ timedOut: true, aborted: false, signal });
  const pid = Number(await contentOf(marker));
  await until(async () => !(await isAlive(pid)));
});

test("a program is ended with the call that started it", async () => {
  const marker = await markerFile();
  const controller = new AbortController();
  const running = failureOf(run(node(`${write(marker, 'process.pid + "\\n"')}${wait}`), { signal: controller.signal }));
  await until(async () => (await contentOf(marker)).endsWith("\n"));
  controller.abort();
  expect(await running).toMatchObject({ timedOut: false, aborted: true, signal: "SIGTERM" });
  expect(await isAlive(Number(await contentOf(marker)))).toBe(false);
});

test("a call that has ended before starts nothing", async () => {
  const marker = await markerFile();
  expect(await failureOf(run(node(write(marker, "1")), { signal: AbortSignal.abort() }))).toMatchObject({ aborted: true });
  expect(await contentOf(marker)).toBe("");
});

test("a never-killed program finishes its work although its caller has given up, and its owner can wait for it", async () => {
  const [started, done] = [await markerFile(), await markerFile()];
  const late = Promise.withResolvers<unknown>();
  const controller = new AbortController();
  const work = `${write(started, "1")}setTimeout(() => { console.log("said"); ${write(done, "1")} }, 1000)`;
  const running = failureOf(run(node(work), { neverKill: true, signal: controller.signal, onLateEnd: late.resolve }));
  await until(async () => (await contentOf(started)) === "1");
  expect(pendingPrograms()).toEqual([expect.objectContaining({ argv: node(work), neverKill: true })]);
  controller.abort();
  expect(await running).toMatchObject({ aborted: true, exitCode: undefined });
  expect(await contentOf(done)).toBe("");
  await Promise.all(pendingPrograms().map(async (program) => program.ended));
  expect(await contentOf(done)).toBe("1");
  expect(await late.promise).toMatchObject({ exitCode: 0, stdout: "said\n" });
  expect(pendingPrograms()).toEqual([]);
});

test("a never-killed program that fails in time fails like any other", async () => {
  expect(await failureOf(run(node("console.error('no'); process.exitCode = 5"), { neverKill: true, deadlineMs: 60_000 }))).toMatchObject({
    exitCode: 5,
    stderr: "no\n",
    timedOut: false,
  });
});

test("a never-killed program survives its driver's death, also when it has something to say", async () => {
  const [started, done] = [await markerFile(), await markerFile()];
  const work = `${write(started, 'process.pid + "\\n"')}setTimeout(() => { console.log("x".repeat(1e6)); console.error("y"); ${write(done, "1")} }, 500)`;
  const driver = `import(${JSON.stringify(new URL("../../../src/exec/run.ts", import.meta.url).href)})
    .then(({ run }) => run(${JSON.stringify(node(work))}, { neverKill: true }))`;
  const killed = failureOf(
    run(
      node(
        `${driver}; setInterval(() => { if (require("node:fs").readFileSync(${JSON.stringify(started)}, "utf8") !== "") process.kill(process.pid, "SIGKILL") }, 5)`,
      ),
    ),
  );
  expect(await killed).toMatchObject({ signal: "SIGKILL" });
  await until(async () => (await contentOf(done)) === "1");
});

test("programs get the descriptors they are handed, and no other of ours", async () => {
  const marker = await markerFile();
  const { openSync, closeSync } = await import("node:fs");
  const [handed, kept] = [openSync(marker, "a"), openSync(marker, "a")];
  try {
    const list =
      'const fs = require("node:fs"); const seen = fs.readdirSync("/proc/self/fd").flatMap((fd) => { try { return [[Number(fd), fs.readlinkSync("/proc/self/fd/" + fd)]] } catch { return [] } }); console.log(JSON.stringify(seen))';
    for (const neverKill of [false, true]) {
      const { stdout } = await run(node(list), { inherit: [handed], neverKill });
      const seen = JSON.parse(stdout) as [number, string][];
      expect(seen.filter(([, path]) => path === marker)).toEqual([[3, marker]]);
    }
  } finally {
    closeSync(handed);
    closeSync(kept);
  }
});

test("programs can be run from a worker thread, where pools live", async () => {
  const worker = new Worker(
    `import(${JSON.stringify(new URL("../../../src/exec/run.ts", import.meta.url).href)}).then(async ({ run }) => {
      require("node:worker_threads").parentPort.postMessage(await run([process.execPath, "--eval", "console.log(1)"]));
    })`,
    { eval: true },
  );
  expect((await once(worker, "message")) as unknown[]).toEqual([{ stdout: "1\n", stderr: "", exitCode: 0 }]);
  await worker.terminate();
});
