import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { runLine } from "./command-line.ts";
import type { AskDriver } from "../../../src/cli/info.ts";
import { watchInfo } from "../../../src/cli/watch.ts";
import { driver } from "./pools.ts";

/** Answers so often, then is interrupted. */
function answering(times: number): { readonly ask: AskDriver; readonly interrupted: AbortSignal } {
  const ending = new AbortController();
  let left = times;
  const ask: AskDriver = async () => {
    if (--left === 0) ending.abort();
    return driver;
  };
  return { ask, interrupted: ending.signal };
}

async function watched(json: boolean, tty: { readonly rows: number } | undefined, ask: AskDriver, interrupted: AbortSignal): Promise<string> {
  const output = new PassThrough({ encoding: "utf8" });
  if (tty !== undefined) Object.defineProperties(output, { isTTY: { value: true }, rows: { value: tty.rows }, getColorDepth: { value: () => 1 } });
  let written = "";
  output.on("data", (text: string) => (written += text));
  await watchInfo({ socket: "/none.sock", json, intervalMs: 1 }, ask, { output, error: new PassThrough() }, interrupted);
  await new Promise((resolve) => setImmediate(resolve));
  return written;
}

describe("info --watch", () => {
  test("into a file or a pipe: one after the other, no control characters", async () => {
    const { ask, interrupted } = answering(3);
    const text = await watched(false, undefined, ask, interrupted);
    expect(text.match(/^\d\d:\d\d:\d\d {2}dmthin 0\.1\.0 on node1, 2 pools$/gm)).toHaveLength(3);
    expect(text).not.toContain("\u001B");
  });

  test("as JSON: an object a line, with its time", async () => {
    const { ask, interrupted } = answering(2);
    const lines = (await watched(true, { rows: 24 }, ask, interrupted)).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ time: expect.stringMatching(/^\d{4}-/), node: "node1" });
  });

  test("on a terminal: drawn over what was there, no higher than the window; the page and the cursor are given back", async () => {
    const { ask, interrupted } = answering(2);
    const text = await watched(false, { rows: 10 }, ask, interrupted);
    const [page = "", after = ""] = text.split("\u001B[?25h\u001B[?1049l");
    expect(page.startsWith("\u001B[?1049h\u001B[?25l\u001B[H")).toBe(true);
    const frames = page.split("\u001B[H").slice(1);
    expect(frames).toHaveLength(2);
    for (const frame of frames) expect(frame.split("\n").length - 1).toBeLessThan(10);
    expect(frames[0]).toContain("more lines: make the window higher");
    expect(after).toContain("fast  (default)"); // what was seen last stays
  });

  test("on a line that does not say how high the window is, 24 lines are taken for it", async () => {
    const { ask, interrupted } = answering(1);
    const frame = (await watched(false, { rows: 0 }, ask, interrupted)).split("\u001B[H")[1] ?? "";
    expect(frame).toContain("12, snapshots 3");
    expect(frame.split("\u001B[J")[0]?.split("\n").length).toBeLessThanOrEqual(24);
  });

  test("a driver that does not answer is waited for", async () => {
    const ending = new AbortController();
    let calls = 0;
    const ask: AskDriver = async () => {
      if (++calls === 1) throw new Error("14 UNAVAILABLE");
      ending.abort();
      return driver;
    };
    const text = await watched(false, undefined, ask, ending.signal);
    expect(text).toMatch(/no driver runs here: there is no socket \/none\.sock[^]*fast {2}\(default\)/);
  });

  test("an interval that is none is refused", async () => {
    expect(await runLine(["info", "--watch", "--interval", "0"])).toMatchObject({ code: 2, output: "" });
  });
});
