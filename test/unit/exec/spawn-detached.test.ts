import { expect, test } from "@jest/globals";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../../src/exec/run.ts";
import { spawnDetached } from "../../../src/exec/spawn-detached.ts";

const node = (script: string): string[] => [execPath, "--eval", script];

test("a detached process outlives the one that started it, with the descriptors it was handed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-exec-"));
  const [input, output] = [join(folder, "in"), join(folder, "out")];
  await writeFile(input, "orders");
  await writeFile(output, "");
  const orphan = `setTimeout(() => { const fs = require("node:fs"); fs.writeSync(3, process.pid + " " + fs.readFileSync("/proc/self/stat", "utf8").split(" ")[5] + " " + fs.readFileSync(0, "utf8") + "\\n"); }, 300)`;
  const starter = `(async () => {
    const { openSync } = require("node:fs");
    const { spawnDetached } = await import(${JSON.stringify(new URL("../../../src/exec/spawn-detached.ts", import.meta.url).href)});
    const { pid } = await spawnDetached(${JSON.stringify(node(orphan))}, { stdin: openSync(${JSON.stringify(input)}, "r"), inherit: [openSync(${JSON.stringify(output)}, "a")] });
    process.stdout.write(String(pid), () => process.kill(process.pid, "SIGKILL"));
  })()`;
  const { stdout: said } = await run(["sh", "-c", '"$@" || :', "sh", ...node(starter)]);
  let text = "";
  while (!text.endsWith("\n")) {
    await sleep(10);
    text = await readFile(output, "utf8");
  }
  expect(text).toBe(`${said} ${said} orders\n`);
  await rm(folder, { recursive: true });
});

test("a detached process that cannot be started says why", async () => {
  const stdin = openSync("/dev/null", "r");
  try {
    await expect(spawnDetached(["dmsetup-that-is-not"], { stdin })).rejects.toMatchObject({ facts: { code: "program-missing" } });
    await expect(spawnDetached(["/dev/null"], { stdin })).rejects.toMatchObject({ facts: { code: "program-failed" } });
  } finally {
    closeSync(stdin);
  }
});
