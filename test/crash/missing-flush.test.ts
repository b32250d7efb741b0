import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { output } from "../harness/program.ts";
import { bundle } from "./bundle.ts";
import type { FlushOrders } from "./flush-child.ts";
import { addDevice, loggedDisk, numberOf, type LoggedDisk } from "./logged-disk.ts";
import { Program } from "./program.ts";
import { dm } from "./real-driver.ts";
import { replay } from "./write-log.ts";

jest.setTimeout(240_000);

const FOLDER = "/tmp/missing-flush";
const LOG = "LOG-WRITES";
/** The kernel's own last mark. */
const END_OF_LOG = "dm-log-writes-end";
const [log = "", data = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");

let program: string;
let disk: LoggedDisk;
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  disk = loggedDisk(FOLDER, data);
  program = await bundle("flush-child");
});
afterAll(() => rmSync(FOLDER, { recursive: true }));

const attach = (file: string): string => output("losetup", ["--find", "--show", file]).trim();
const detach = (loop: string): string => output("losetup", ["--detach", loop]);

async function runOn(orders: FlushOrders): Promise<Program> {
  const child = new Program(program, [JSON.stringify(orders)]);
  expect(await child.end()).toBe("SIGTERM");
  return child;
}

/** A machine that comes up with this disk: its pool holds exactly what was acknowledged. */
async function expectAfterCut(file: string, expected: readonly string[]): Promise<void> {
  const loop = attach(file);
  const place = await disk.open(loop, { isNew: false });
  await runOn({ place, log: undefined, expected });
  await disk.close();
  detach(loop);
}

/** A driver that works on a disk whose writes are logged; answers what was acknowledged at each mark. */
async function logWork(origin: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const loop = attach(origin);
  const logged = addDevice(LOG, "log-writes", disk.sizeBytes, `${await numberOf(loop)} ${await numberOf(log)}`);
  const place = await disk.open(logged, { isNew: true });
  const { lines } = await runOn({ place, log: LOG, expected: undefined });
  await disk.close();
  dm.remove(LOG);
  detach(loop);
  return new Map(lines.map((line) => JSON.parse(line) as { mark: string; names: string[] }).map(({ mark, names }) => [mark, names]));
}

test("what was acknowledged has been flushed: it is there when the power goes at once and takes every write with it that was not", async () => {
  const [origin, replayed, copy] = [`${FOLDER}/origin`, `${FOLDER}/replayed`, `${FOLDER}/disk`];
  for (const file of [origin, replayed]) {
    writeFileSync(file, "");
    truncateSync(file, disk.sizeBytes);
  }
  const expected = await logWork(origin);
  const [from, to] = [openSync(log, "r"), openSync(replayed, "r+")];
  const seen: string[] = [];
  await replay(from, to, async (mark) => {
    if (mark === END_OF_LOG) return;
    seen.push(mark);
    output("cp", ["--sparse=always", replayed, copy]);
    await expectAfterCut(copy, expected.get(mark) ?? ["an acknowledgement that nobody has heard"]);
  });
  for (const fd of [from, to]) closeSync(fd);
  expect(seen).toEqual([...expected.keys()]);
  expect(seen.length).toBeGreaterThan(8);
});
