import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, jest, test } from "@jest/globals";

jest.setTimeout(60_000); // programs of their own, on a machine that has other work
const PROMPT = new URL("../../../src/cli/prompt.ts", import.meta.url).href;
const ASKING = `const { ask } = await import(${JSON.stringify(PROMPT)}); console.log("answer:", await ask("Go on?"));`;
const QUESTION = "Go on? [y/N] ";

/** Sits before a terminal of its own, and types when asked. Answers what is on the screen. */
async function typed(keys: string): Promise<string> {
  const command = `${process.execPath} --disable-warning=ExperimentalWarning --input-type=module --eval '${ASKING}'`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  });
  let screen = "";
  let isAsked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    if (isAsked || !screen.includes(QUESTION)) return;
    isAsked = true;
    child.stdin.write(keys);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  child.stdin.destroy();
  return `${screen.split("answer: ").at(-1)?.trim()}, exit ${String(code)}`;
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

test.each([
  ["y", "y\n", true],
  ["yes, in whatever letters", " YES \n", true],
  ["no", "n\n", false],
  ["nothing at all", "\n", false],
  ["something else", "yep\n", false],
  ["Ctrl-D, the end of what is typed", CTRL_D, false],
  ["Ctrl-C", CTRL_C, false],
])("who is asked and types %s is understood", async (_, keys, answer) => {
  expect(await typed(keys)).toMatch(new RegExp(`^(\\u001B\\[33m)?${String(answer)}(\\u001B\\[39m)?, exit 0$`));
});

test("where nobody sits before a terminal nobody is asked", async () => {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", ASKING], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await new Promise((resolve) => child.once("close", resolve));
  expect(said).toBe("answer: undefined\n");
});
