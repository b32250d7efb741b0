import { execFileSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { findBlockDevice } from "../../src/pool/block-device.ts";
import { bytesToSectors, bytes, MiB, sectors } from "../../src/units.ts";
import { bundle } from "./bundle.ts";
import type { FlushOrders } from "./flush-child.ts";
import { Program } from "./program.ts";
import { dm, POOL, type Place } from "./real-driver.ts";
import { replay } from "./write-log.ts";

jest.setTimeout(240_000);

/** One disk for catalogue and metadata, so that one log has the order of both. */
const CATALOGUE = bytes(96 * MiB);
const METADATA = bytes(32 * MiB);
const FOLDER = "/tmp/missing-flush";
const MOUNT_POINT = `${FOLDER}/catalogue`;
const LOG = "LOG-WRITES";
/** The kernel's own last mark. */
const END_OF_LOG = "dm-log-writes-end";
const [log = "", data = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");

let program: string;
beforeAll(async () => {
  mkdirSync(MOUNT_POINT, { recursive: true });
  execFileSync("dd", ["if=/dev/zero", `of=${data}`, "bs=1M", "count=1", "status=none"]);
  program = await bundle("flush-child");
});
afterAll(() => rmSync(FOLDER, { recursive: true }));

const attach = (file: string, ...options: string[]): string => execFileSync("losetup", ["--find", "--show", ...options, file], { encoding: "utf8" }).trim();

async function runOn(orders: FlushOrders): Promise<Program> {
  const child = new Program(program, [JSON.stringify(orders)]);
  expect(await child.end()).toBe("SIGTERM");
  return child;
}

/** The pool is taken down, and the catalogue's filesystem, as soon as the handle that has its lock is gone. */
async function takeDown(): Promise<void> {
  for (const { name, uuid } of dm.list()) if (name === `dmthin-${POOL}-pool`) dm.remove(uuid);
  for (;;) {
    try {
      execFileSync("umount", [MOUNT_POINT], { stdio: "ignore" });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function logged(origin: string): Promise<{ readonly catalogue: string; readonly metadata: string; readonly remove: () => void }> {
  const length = bytesToSectors(bytes(CATALOGUE + METADATA));
  const device = (uuid: string, type: string, size: typeof length, parameters: string): string => {
    dm.create(uuid.toLowerCase(), uuid);
    dm.load(uuid, [{ start: sectors(0), length: size, type, parameters }]);
    dm.resume(uuid);
    return `/dev/dm-${dm.info(uuid)?.minor}`;
  };
  const numbers = await Promise.all([origin, log].map(async (path) => findBlockDevice(path)));
  const [first, second] = numbers.map((found) => `${found?.major}:${found?.minor}`);
  device(LOG, "log-writes", length, `${first} ${second}`);
  const below = `${dm.info(LOG)?.major}:${dm.info(LOG)?.minor}`;
  const catalogue = device("LOG-CATALOGUE", "linear", bytesToSectors(CATALOGUE), `${below} 0`);
  const metadata = device("LOG-METADATA", "linear", bytesToSectors(METADATA), `${below} ${bytesToSectors(CATALOGUE)}`);
  return { catalogue, metadata, remove: () => ["LOG-CATALOGUE", "LOG-METADATA", LOG].forEach((uuid) => dm.remove(uuid)) };
}

/** A machine that comes up with this disk: its pool holds exactly what was acknowledged. */
async function expectAfterCut(disk: string, expected: readonly string[]): Promise<void> {
  const catalogue = attach(disk, "--sizelimit", String(CATALOGUE));
  const metadata = attach(disk, "--offset", String(CATALOGUE));
  execFileSync("mount", [catalogue, MOUNT_POINT]);
  const place: Place = { state: MOUNT_POINT, data, metadata };
  await runOn({ place, log: undefined, expected });
  await takeDown();
  for (const loop of [catalogue, metadata]) execFileSync("losetup", ["--detach", loop]);
}

test("what was acknowledged has been flushed: it is there when the power goes at once and takes every write with it that was not", async () => {
  const origin = `${FOLDER}/origin`;
  for (const file of [origin, `${FOLDER}/replayed`]) {
    writeFileSync(file, "");
    truncateSync(file, CATALOGUE + METADATA);
  }
  const loop = attach(origin);
  const disk = await logged(loop);
  execFileSync("mkfs.ext4", ["-q", "-F", disk.catalogue]);
  execFileSync("mount", [disk.catalogue, MOUNT_POINT]);
  const child = await runOn({ place: { state: MOUNT_POINT, data, metadata: disk.metadata }, log: LOG, expected: undefined });
  await takeDown();
  disk.remove();
  execFileSync("losetup", ["--detach", loop]);

  const expected = new Map(child.lines.map((line) => JSON.parse(line) as { mark: string; names: string[] }).map(({ mark, names }) => [mark, names]));
  const [from, to] = [openSync(log, "r"), openSync(`${FOLDER}/replayed`, "r+")];
  const seen: string[] = [];
  await replay(from, to, async (mark) => {
    if (mark === END_OF_LOG) return;
    seen.push(mark);
    copyFileSync(`${FOLDER}/replayed`, `${FOLDER}/disk`);
    await expectAfterCut(`${FOLDER}/disk`, expected.get(mark) ?? ["an acknowledgement that nobody has heard"]);
  });
  for (const fd of [from, to]) closeSync(fd);
  expect(seen).toEqual([...expected.keys()]);
  expect(seen.length).toBeGreaterThan(8);
});
