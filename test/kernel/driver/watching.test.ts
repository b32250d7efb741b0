import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { BLOCK, VolumeUser } from "../../demo/volume-user.ts";
import { BUNDLE, Driver } from "../../harness/driver.ts";
import { freeMachine } from "../../harness/clean-machine.ts";

jest.setTimeout(240_000);
const MiB = 1024 ** 2;
const FOLDER = "/run/watching";
const DISK = "/tmp/dmthin-watching-disk";
const [ROWS, COLUMNS] = [24, 100];
const [HOME, TO_END] = ["\u001B[H", "\u001B[J"];
const [OPEN, CLOSE] = ["\u001B[?1049h\u001B[?25l", "\u001B[?25h\u001B[?1049l"];
const SEEN_MS = 60_000;
const CTRL_C = "\u0003";
let driver: Driver;

beforeAll(async () => {
  mkdirSync(DISK, { recursive: true });
  const loop = { directory: join(DISK, "pool"), dataSize: "96Mi", metadataSize: "4Mi", maximumDataSize: "192Mi", hostReserve: "1Mi" };
  driver = await Driver.start(FOLDER, {
    nodeName: "lab",
    stateDirectory: join(DISK, "state"),
    pools: [{ name: "filling", backing: { loop }, defaultVolumeSize: "64Mi" }],
  });
});
afterAll(async () => {
  await driver.stop();
  freeMachine();
  rmSync(DISK, { recursive: true });
});

/** `dmthin info --watch` before a terminal of its own. */
function watch() {
  const command = `stty rows ${ROWS} cols ${COLUMNS}; exec ${BUNDLE.join(" ")} info --watch --interval 0.2 --socket ${Driver.paths(FOLDER).adminSocket}`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text.replaceAll("\r\n", "\n")));
  /** Whole pages, as they followed each other; without colours. */
  const frames = (): readonly string[] =>
    screen
      .split(HOME)
      .slice(1)
      .filter((frame) => frame.includes(TO_END))
      .map((frame) => stripVTControlCharacters(frame.slice(0, frame.indexOf(TO_END))));
  return {
    frames,
    until: async (seen: (frame: string) => boolean): Promise<string> => {
      for (const begun = performance.now(); performance.now() - begun < SEEN_MS; await sleep(50)) {
        const last = frames().at(-1);
        if (last !== undefined && seen(last)) return last;
      }
      throw new Error(`it was never seen. What was last on the screen:\n${frames().at(-1) ?? screen}`);
    },
    end: async (): Promise<{ readonly code: number; readonly screen: string }> => {
      const closed = once(child, "close") as Promise<[number]>;
      child.stdin.write(CTRL_C);
      return { code: (await closed)[0], screen };
    },
  };
}

test("who watches a pool sees it fill, grow, be full, and have room again, on one page that does not scroll", async () => {
  const user = new VolumeUser(driver.client, FOLDER, BLOCK);
  const id = await user.create("writer", 512 * MiB);
  await user.stage(id);
  const device = await user.publish(id);
  const watching = watch();
  const first = await watching.until((frame) => frame.includes("filling"));
  const writer = spawn("dd", ["if=/dev/zero", `of=${device}`, "bs=1M", "oflag=direct", "conv=notrunc"], { stdio: "ignore" });
  const wrote = once(writer, "close") as Promise<[number]>;
  const full = await watching.until((frame) => frame.includes("ready, out_of_data_space") && frame.includes("192 MiB of 192 MiB"));
  expect((await wrote)[0]).toBe(1);
  await user.release(id);
  await user.delete(id);
  const after = await watching.until((frame) => frame.includes("ready, rw") && frame.includes("0 B of 192 MiB, 192 MiB free"));
  const { code, screen } = await watching.end();
  expect(code).toBe(0);
  expect(first).toContain("0 B of 96 MiB, 96 MiB free");
  expect(full.replaceAll(/\s+/g, " ")).toMatch(/It has no room left.*100 % 192 MiB of 192 MiB, 0 B free.*room to grow 0 B of data/);
  expect(after).not.toContain("!");
  for (const frame of watching.frames()) {
    const lines = frame.split("\n");
    expect(lines.length).toBeLessThanOrEqual(ROWS);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(COLUMNS);
  }
  // The terminal is given back as it was, with what was seen last.
  expect(screen.indexOf(OPEN)).toBeGreaterThanOrEqual(0);
  expect(screen.slice(screen.lastIndexOf(CLOSE))).toContain("filling");
});
