import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

const SCRIPT = join(import.meta.dirname, "../../../src/pool/dead-man.sh");

/** The script with a dmsetup that writes down what it is asked: whether the real one resumes is the crash tests' business. */
let folder: string;
const resumed = (): string => (existsSync(join(folder, "resumed")) ? readFileSync(join(folder, "resumed"), "utf8") : "");
const line = (uuid: string): string => `resume --noudevsync --uuid ${uuid}\n`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmthin-dead-man-"));
  writeFileSync(join(folder, "dmsetup"), `#!/bin/sh\necho "$@" >> ${folder}/resumed\n`, { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(args: readonly string[] = []): ChildProcess {
  return spawn("sh", [SCRIPT, ...args], { env: { PATH: `${folder}:${process.env["PATH"]}`, TMPDIR: folder }, stdio: ["pipe", "pipe", "inherit"] });
}

const command = (script: string): ChildProcess => start(["sh", "-c", script]);

function readable(stream: Readable | null): Readable {
  if (stream === null) throw new Error("its output is not piped");
  return stream;
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

/** Waits for a word on stdout. */
async function said(child: ChildProcess, word: string): Promise<void> {
  let output = "";
  await new Promise<void>((resolve) => child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()).includes(word) && resolve()));
}

/** A driver that has something suspended while it shuts down, and is told twice. */
const SLOW_TO_END = `
  const fs = require("node:fs");
  let times = 0;
  process.on(process.argv[1], () => {
    fs.writeSync(3, "arm A\\n");
    setTimeout(() => console.log(++times === 1 ? "again" : "still armed"), 200);
    if (times === 1) setTimeout(() => { fs.writeSync(3, "disarm A\\ndisarm A\\n"); process.exit(5); }, 700);
  });
  console.log("ready");
  setInterval(() => undefined, 1000);
`;

describe("beside the driver", () => {
  test("what is armed when the pipe closes is resumed, once each; what was disarmed is not", async () => {
    const handle = start();
    handle.stdin?.end("arm A-1\narm A-2\narm A-3\ndisarm A-2\ndisarm nobody\narm A-22\ndisarm A-1\n");
    expect(await exitOf(handle)).toBe(0);
    expect(resumed()).toBe(line("A-3") + line("A-22"));
  });

  test("a device that was armed twice, as after a failure, stays armed until it was disarmed as often", async () => {
    const handle = start();
    handle.stdin?.end("arm A\narm A\ndisarm A\n");
    await exitOf(handle);
    expect(resumed()).toBe(line("A"));
  });

  test("signals that end the driver's group do not end it", async () => {
    const handle = start();
    handle.stdin?.write("arm A\n");
    await sleep(200);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) handle.kill(signal);
    await sleep(100);
    expect(handle.exitCode ?? handle.signalCode).toBeNull();
    handle.stdin?.end();
    expect(await exitOf(handle)).toBe(0);
    expect(resumed()).toBe(line("A"));
  });
});

describe("as an image's init", () => {
  test("the command's exit code is handed on", async () => expect(await exitOf(command("exit 7"))).toBe(7));

  test("a command that was killed is an exit code too, and what it had armed is resumed", async () => {
    expect(await exitOf(command('echo "arm A" >&"$DMTHIN_DEAD_MAN_FD"; kill -KILL $$'))).toBe(137);
    expect(resumed()).toBe(line("A"));
  });

  test("arguments arrive as they were given", async () => {
    const child = start(["printf", "[%s]", "a b", "", "$HOME", "*"]);
    expect(await text(readable(child.stdout))).toBe("[a b][][$HOME][*]");
  });

  test("a command that is not there is 127, as a shell says it", async () => expect(await exitOf(start(["/no/such/command"]))).toBe(127));

  test.each(["SIGTERM", "SIGINT"] as const)("%s is the command's to answer, in its own time, and nothing is resumed while it does", async (signal) => {
    const child = start([process.execPath, "-e", SLOW_TO_END, signal]);
    await said(child, "ready");
    child.kill(signal);
    await said(child, "again");
    child.kill(signal);
    await said(child, "still armed");
    expect(resumed()).toBe("");
    expect(await exitOf(child)).toBe(5);
    expect(resumed()).toBe("");
  });

  test("it leaves nothing in the folder for temporary files", async () => {
    await exitOf(command("exit 0"));
    expect(existsSync(join(folder, "resumed"))).toBe(false);
    expect(await text(spawn("ls", [folder]).stdout)).toBe("dmsetup\n");
  });
});
