import { spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { watchDeviceEvents } from "../../../src/devicemapper/events.ts";
import { createThin } from "../../../src/devicemapper/thin-messages.ts";
import { parsePoolStatus } from "../../../src/devicemapper/thin-status.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { pathOf, Rig } from "./rig.ts";

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

const failing = (error: Error): void => {
  throw error;
};

test("a pool that passes its mark is told of while the writer still writes", async () => {
  const { info: pool } = rig.pool({ lowWaterMark: 512 });
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, bytes(48 * MiB));
  const passed = Promise.withResolvers<void>();
  const events = watchDeviceEvents({
    onEvent: () => {
      const status = parsePoolStatus(rig.dm.status(pool.uuid, { noFlush: true })[0]?.status ?? "");
      if ("data" in status && status.data.used >= 512) passed.resolve();
    },
    onFailure: failing,
  });
  // Over and over, until it is ended: no end of its own can be what is told of.
  const writer = spawn("sh", ["-c", `while :; do dd if=/dev/zero of=${pathOf(thin)} bs=256k count=192 oflag=direct 2>/dev/null; done`], { detached: true });
  await passed.promise;
  expect(writer.exitCode).toBeNull();
  process.kill(-(writer.pid ?? 0), "SIGKILL");
  await once(writer, "exit");
  await events.close();
});

test("nothing that happens while an event is looked at is lost", async () => {
  const seen = new Set<string>();
  const events = watchDeviceEvents({
    onEvent: () => {
      for (const { name } of rig.dm.list()) seen.add(name);
    },
    onFailure: failing,
  });
  const uuids = Array.from({ length: 30 }, (_, index) => `${rig.prefix}-event-${index}`);
  for (const [index, uuid] of uuids.entries()) {
    rig.dm.create(`dmthin-test-event-${index}`, uuid);
    while (!seen.has(`dmthin-test-event-${index}`)) await sleep(1);
  }
  for (const uuid of uuids) rig.dm.remove(uuid);
  await events.close();
});

test("a watch that was closed tells nothing more", async () => {
  let count = 0;
  const begun = Promise.withResolvers<void>();
  const events = watchDeviceEvents({
    onEvent: () => {
      count += 1;
      begun.resolve();
    },
    onFailure: failing,
  });
  await begun.promise;
  await events.close();
  const before = count;
  rig.linear("later", rig.loop(bytes(8 * MiB)));
  await sleep(100);
  expect(count).toBe(before);
});

test("a watch that cannot be kept says so, once", async () => {
  const failed = Promise.withResolvers<Error>();
  renameSync("/dev/mapper/control", "/dev/mapper/hidden");
  try {
    const events = watchDeviceEvents({ onEvent: () => undefined, onFailure: failed.resolve });
    expect(await failed.promise).toMatchObject({ facts: { code: "kernel-failed", operation: "open", errno: "ENOENT" } });
    await events.close();
  } finally {
    renameSync("/dev/mapper/hidden", "/dev/mapper/control");
  }
});
