import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { KernelSlowCalls } from "../../../src/devicemapper/slow-calls.ts";
import { createThin, deleteThin } from "../../../src/devicemapper/thin-messages.ts";
import { parsePoolStatus, parseThinStatus } from "../../../src/devicemapper/thin-status.ts";
import { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { pathOf, Rig } from "./rig.ts";
import { output } from "../../harness/program.ts";

const LONG_MS = 60_000;

let rig: Rig;
let threads: BlockingThreads;
let slow: KernelSlowCalls;
beforeEach(() => {
  rig = new Rig();
  threads = new BlockingThreads({ entry: workerEntry("blocking-worker") });
  slow = new KernelSlowCalls(threads);
});
afterEach(async () => {
  await slow.close();
  rig.dispose();
});

const writer = (path: string, mebibytes: number): ChildProcess =>
  spawn("dd", ["if=/dev/zero", `of=${path}`, "bs=1M", `count=${mebibytes}`, "oflag=direct"], { stdio: "ignore" });

test("a device is suspended when the call is done", async () => {
  const { info: pool } = rig.pool();
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, bytes(8 * MiB));
  await slow.suspend(thin.uuid, LONG_MS).done;
  expect(rig.dm.info(thin.uuid)).toMatchObject({ suspended: true });
  rig.dm.resume(thin.uuid);
});

test("suspending what is not there is ENXIO", async () => {
  await expect(slow.suspend("DMTHIN-nobody", LONG_MS).done).rejects.toThrow("the kernel refused suspend of DMTHIN-nobody: ENXIO");
});

test("a suspend that waits for room in a full pool is given up, holds nobody up, and tells later that it is suspended after all", async () => {
  const { info: pool } = rig.pool({ dataBytes: bytes(16 * MiB) });
  const status = () => parsePoolStatus(rig.dm.status(pool.uuid, { noFlush: true })[0]?.status ?? "");
  for (const number of [1, 2]) rig.dm.message(pool.uuid, createThin(number));
  const first = rig.thin(pool, 1, bytes(8 * MiB));
  await once(writer(pathOf(first), 8), "exit");
  rig.dm.remove(first.uuid);
  const second = rig.thin(pool, 2, bytes(16 * MiB));
  const writing = writer(pathOf(second), 12);
  const written = once(writing, "exit");
  while (status().mode !== "out_of_data_space") await sleep(5);

  const call = slow.suspend(second.uuid, 200);
  await expect(call.done).rejects.toMatchObject({ facts: { code: "deadline", operation: `suspend of ${second.uuid}` } });
  let ended = false;
  const outcome = call.outcome.then((result) => {
    ended = true;
    return result;
  });
  // The pool answers and another device is suspended meanwhile.
  expect(status().mode).toBe("out_of_data_space");
  const other = rig.linear("other", rig.loop(bytes(8 * MiB)));
  await slow.suspend(other.uuid, LONG_MS).done;
  rig.dm.resume(other.uuid);
  expect(ended).toBe(false);

  // Deleting the first device makes room: the write ends, and with it the suspend.
  rig.dm.message(pool.uuid, deleteThin(1));
  expect(await outcome).toEqual({ error: undefined });
  expect(rig.dm.info(second.uuid)).toMatchObject({ suspended: true });
  rig.dm.resume(second.uuid);
  expect(await written).toEqual([0, null]);
});

test("four calls that hang at once leave a fifth its thread", async () => {
  const held = await Promise.all(
    [1, 2, 3, 4].map(async (index) => {
      const { uuid, ...device } = rig.linear(`hung${index}`, rig.loop(bytes(8 * MiB)));
      const path = mkdtempSync(join(tmpdir(), "mount-"));
      output("mkfs.ext4", ["-q", pathOf(device)]);
      output("mount", [pathOf(device), path]);
      writeFileSync(join(path, "file"), "x".repeat(100_000));
      // Without freezing: what is written then waits below the filesystem.
      rig.dm.suspend(uuid, { noFlush: true, skipFreeze: true });
      const call = slow.syncFilesystem(path, 300);
      return { uuid, path, call };
    }),
  );
  for (const { call } of held) await expect(call.done).rejects.toMatchObject({ facts: { code: "deadline" } });
  await slow.syncFilesystem(tmpdir(), LONG_MS).done;
  for (const { uuid, path, call } of held) {
    rig.dm.resume(uuid);
    expect(await call.outcome).toEqual({ error: undefined });
    output("umount", [path]);
    rmdirSync(path);
  }
});

test("a discarded range is given back to the pool, and only that", async () => {
  const { info: pool } = rig.pool();
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, bytes(8 * MiB));
  await once(writer(pathOf(thin), 8), "exit");
  await slow.discard(pathOf(thin), bytes(2 * MiB), bytes(4 * MiB), LONG_MS).done;
  const status = parseThinStatus(rig.statusText(thin.uuid));
  expect(status).toMatchObject({ mode: "active", mappedSectors: (4 * MiB) / 512, highestMappedSector: (8 * MiB) / 512 - 1 });
});

test("a device that cannot discard says EOPNOTSUPP", async () => {
  const { info: pool } = rig.pool({ features: ["ignore_discard"] });
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, bytes(8 * MiB));
  await expect(slow.discard(pathOf(thin), bytes(0), bytes(MiB), LONG_MS).done).rejects.toThrow("EOPNOTSUPP");
});
