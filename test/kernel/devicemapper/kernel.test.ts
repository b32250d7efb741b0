import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { KernelDeviceMapper } from "../../../src/devicemapper/kernel.ts";
import {
  CANCEL_DEFERRED_REMOVE,
  createSnap,
  createThin,
  deleteThin,
  RELEASE_METADATA_SNAP,
  RESERVE_METADATA_SNAP,
  setTransactionId,
} from "../../../src/devicemapper/thin-messages.ts";
import { parsePoolStatus } from "../../../src/devicemapper/thin-status.ts";
import { thinTarget } from "../../../src/devicemapper/thin-table.ts";
import { bytes, bytesToSectors, MiB, sectors } from "../../../src/units.ts";
import { linearTarget, pathOf, Rig } from "./rig.ts";

const SIZE = bytes(8 * MiB);

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

test("versions: thin-pool is there, and the interface is one that we know", () => {
  const { interface: version, targets } = rig.dm.versions();
  expect(version).toMatch(/^4\.\d+\.\d+$/);
  expect(targets.get("thin-pool")).toMatch(/^1\.\d+\.\d+$/);
});

describe("a device's life", () => {
  test("made, loaded, active, suspended, resumed, removed, each seen by info", () => {
    const { dm } = rig;
    const loop = rig.loop(SIZE);
    const uuid = `${rig.prefix}-life`;
    const created = dm.create("dmthin-test-life", uuid);
    expect(created).toMatchObject({ name: "dmthin-test-life", uuid, hasActiveTable: false, hasInactiveTable: false });
    try {
      dm.load(uuid, [linearTarget(loop)]);
      expect(dm.info(uuid)).toMatchObject({ hasActiveTable: false, hasInactiveTable: true });
      dm.resume(uuid);
      expect(dm.info(uuid)).toEqual({ ...created, hasActiveTable: true });
      expect(dm.table(uuid)).toEqual([linearTarget(loop)]);
      dm.load(uuid, [{ ...linearTarget(loop), length: sectors(8) }], { readOnly: true });
      dm.clear(uuid);
      expect(dm.info(uuid)).toMatchObject({ hasInactiveTable: false, readOnly: false });
      dm.suspend(uuid, { noFlush: true, skipFreeze: true });
      expect(dm.info(uuid)).toMatchObject({ suspended: true });
      dm.resume(uuid);
      dm.load(uuid, [linearTarget(loop)], { readOnly: true });
      dm.suspend(uuid);
      dm.resume(uuid);
      expect(dm.info(uuid)).toMatchObject({ suspended: false, readOnly: true });
    } finally {
      dm.remove(uuid);
    }
    expect(dm.info(uuid)).toBeUndefined();
  });

  test("a taken name, and a taken uuid, are EBUSY: nothing that is there is touched", () => {
    const loop = rig.loop(SIZE);
    const first = rig.linear("first", loop);
    expect(() => rig.dm.create(first.name, `${rig.prefix}-other`)).toThrow("EBUSY");
    expect(() => rig.dm.create("dmthin-test-other", first.uuid)).toThrow("EBUSY");
    expect(rig.dm.info(first.uuid)).toEqual(first);
  });

  test("a uuid that nobody has is ENXIO, and for info undefined", () => {
    const { dm } = rig;
    const uuid = "DMTHIN-nobody";
    expect(dm.info(uuid)).toBeUndefined();
    for (const verb of ["clear", "suspend", "resume", "remove", "table", "status"] as const) expect(() => dm[verb](uuid)).toThrow("ENXIO");
    expect(() => dm.load(uuid, [])).toThrow(/ENXIO|EINVAL/);
    expect(() => dm.message(uuid, "x")).toThrow("ENXIO");
  });

  test("held open it is EBUSY; deferred, it goes when its holder does; cancelled, it stays", async () => {
    const { dm } = rig;
    const device = rig.linear("held", rig.loop(SIZE));
    const fd = openSync(pathOf(device), "r");
    expect(() => dm.remove(device.uuid)).toThrow("EBUSY");
    dm.remove(device.uuid, { deferred: true });
    expect(dm.info(device.uuid)).toMatchObject({ deferredRemove: true, openCount: 1 });
    dm.message(device.uuid, CANCEL_DEFERRED_REMOVE);
    expect(dm.info(device.uuid)).toMatchObject({ deferredRemove: false });
    closeSync(fd);
    const again = openSync(pathOf(device), "r");
    dm.remove(device.uuid, { deferred: true });
    closeSync(again);
    while (dm.info(device.uuid) !== undefined) await sleep(5);
    expect(() => dm.message(device.uuid, CANCEL_DEFERRED_REMOVE)).toThrow("ENXIO");
  });
});

describe("answers of any size", () => {
  test("300 devices are listed, each with its uuid, in a buffer that was too small for them", () => {
    const uuids = Array.from({ length: 300 }, (_, index) => `${rig.prefix}-listed-${index}-${"x".repeat(60)}`);
    try {
      uuids.forEach((uuid, index) => rig.dm.create(`dmthin-test-listed-${index}`, uuid));
      const listed = new KernelDeviceMapper().list().filter(({ name }) => name.startsWith("dmthin-test-listed-"));
      expect(listed.map(({ uuid }) => uuid).toSorted()).toEqual(uuids.toSorted());
      expect(new Set(listed.map(({ minor }) => minor)).size).toBe(300);
    } finally {
      for (const uuid of uuids) rig.dm.remove(uuid);
    }
  });

  test("a device that has gone is not listed from what an earlier answer left in the buffer", () => {
    // On a machine without other devices, as the lab's, the list is empty, and the kernel writes nothing at all then.
    const before = rig.dm.list();
    const uuid = `${rig.prefix}-only`;
    rig.dm.create("dmthin-test-only", uuid);
    expect(rig.dm.list()).toHaveLength(before.length + 1);
    rig.dm.remove(uuid);
    expect(rig.dm.list()).toEqual(before);
  });

  test("a table of 200 targets is read as it was loaded", () => {
    const loop = rig.loop(SIZE);
    const table = Array.from({ length: 200 }, (_, index) => ({
      start: sectors(index * 8),
      length: sectors(8),
      type: "linear",
      parameters: `${loop.major}:${loop.minor} ${index * 8}`,
    }));
    expect(rig.dm.table(rig.device("many", table).uuid)).toEqual(table);
  });

  test("a message's answer comes back", () => {
    const { uuid } = rig.linear("stats", rig.loop(SIZE));
    expect(rig.dm.message(uuid, "@stats_create - /2")).toBe("0");
    expect(rig.dm.message(uuid, "@stats_list")).toMatch(/^0: /);
  });
});

describe("a pool", () => {
  test("its thin devices come and go by message, each refusal by its errno", () => {
    const { dm } = rig;
    const { info: pool } = rig.pool();
    const send = (text: string) => dm.message(pool.uuid, text);
    expect(send(createThin(1))).toBe("");
    expect(() => send(createThin(1))).toThrow("EEXIST");
    send(createSnap(2, 1));
    expect(() => send(createSnap(2, 1))).toThrow("EEXIST");
    expect(() => send(createSnap(3, 77))).toThrow("ENODATA");
    expect(() => send(deleteThin(77))).toThrow("ENODATA");
    const thin = rig.thin(pool, 1, SIZE);
    expect(() => send(deleteThin(1))).toThrow("EBUSY");
    expect(() => dm.remove(pool.uuid)).toThrow("EBUSY");
    dm.remove(thin.uuid);
    send(deleteThin(1));
    send(deleteThin(2));
    expect(() => rig.thin(pool, 1, SIZE, "gone")).toThrow("ENODATA");
  });

  test("numbers have 24 bits", () => {
    const { info: pool } = rig.pool();
    rig.dm.message(pool.uuid, createThin(2 ** 24 - 1));
    expect(() => rig.dm.message(pool.uuid, createThin(2 ** 24))).toThrow("EINVAL");
  });

  test("its transaction id moves only from where it is", () => {
    const { info: pool } = rig.pool();
    rig.dm.message(pool.uuid, setTransactionId(0, 1));
    expect(() => rig.dm.message(pool.uuid, setTransactionId(0, 2))).toThrow("EINVAL");
    expect(parsePoolStatus(rig.statusText(pool.uuid))).toMatchObject({ transactionId: 1 });
  });

  test("it has one metadata snapshot at most", () => {
    const { info: pool } = rig.pool();
    rig.dm.message(pool.uuid, RESERVE_METADATA_SNAP);
    expect(parsePoolStatus(rig.statusText(pool.uuid))).toMatchObject({ mode: "rw", heldMetadataRoot: expect.any(Number) });
    expect(() => rig.dm.message(pool.uuid, RESERVE_METADATA_SNAP)).toThrow("EBUSY");
    rig.dm.message(pool.uuid, RELEASE_METADATA_SNAP);
    expect(() => rig.dm.message(pool.uuid, RELEASE_METADATA_SNAP)).toThrow("EINVAL");
  });

  test("a thin device grows by a new table, and reads back as it was told", () => {
    const { info: pool } = rig.pool();
    rig.dm.message(pool.uuid, createThin(5));
    const thin = rig.thin(pool, 5, SIZE);
    const larger = thinTarget({ pool, number: 5 }, bytesToSectors(bytes(2 * SIZE)));
    rig.dm.load(thin.uuid, [larger]);
    rig.dm.suspend(thin.uuid);
    rig.dm.resume(thin.uuid);
    expect(rig.dm.table(thin.uuid)).toEqual([larger]);
  });
});
