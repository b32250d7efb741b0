import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Catalog } from "../../../src/catalog/catalog.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { CATALOG_COPY } from "../../../src/pool/catalog-copy.ts";
import { writeMark } from "../../../src/pool/direct-lvm-mark.ts";
import { wasNeverMade } from "../../../src/pool/never-made.ts";
import { KiB } from "../../../src/units.ts";
import { describePool } from "../../crash/bench.ts";

const DEVICES = describePool("fast", { data: "/dev/a", metadata: "/dev/b" });
const DISKS: PoolDescription = {
  ...DEVICES,
  backing: {
    kind: "directLvm",
    devices: ["/dev/sbd"],
    metadataDevices: [],
    volumeGroup: "dmthin-fast",
    thinpPercent: 95,
    thinpMetaPercent: 1,
    force: false,
  },
};

let stateDirectory = "";
beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), "dmthin-never-made-"));
});
afterEach(() => rmSync(stateDirectory, { recursive: true }));

const judged = async (description: PoolDescription, recordedUuids: readonly string[] = []): Promise<boolean> =>
  wasNeverMade(description, { stateDirectory, bootId: "boot", recordedUuids });

function leaveCatalog(formatted: boolean): void {
  const catalog = Catalog.open(join(stateDirectory, "catalog.db"), "boot", { name: "fast", uuid: randomUUID(), chunkSize: DEVICES.chunkSize });
  if (formatted) catalog.change((writer) => writer.setFormatted());
  catalog.close();
}

test("nothing on record: it never was a pool here; also after an attempt that came as far as to begin a catalogue", async () => {
  expect(await judged(DEVICES)).toBe(true);
  leaveCatalog(false);
  expect(await judged(DEVICES)).toBe(true);
  expect(await judged(DISKS)).toBe(true);
});

test("a pool that was made is on record by its catalogue, by the mark of its disks, or by a copy of a catalogue", async () => {
  leaveCatalog(true);
  expect(await judged(DEVICES)).toBe(false);
  await writeMark(stateDirectory, { mark: "0123456789abcdefghij", phase: "making", added: [] });
  expect(await judged(DISKS)).toBe(false);
});

test("a copy of a catalogue is of a pool that was made", async () => {
  writeFileSync(join(stateDirectory, CATALOG_COPY), "");
  expect([await judged(DEVICES), await judged(DISKS)]).toEqual([false, false]);
});

test("what the cluster has on record was made, whatever this machine knows", async () => {
  expect([await judged(DEVICES, ["uuid"]), await judged(DISKS, ["uuid"])]).toEqual([false, false]);
});

test("what cannot be read proves nothing", async () => {
  writeFileSync(join(stateDirectory, "catalog.db"), "x".repeat(8 * KiB));
  expect(await judged(DEVICES)).toBe(false);
  writeFileSync(join(stateDirectory, "volume-group.json"), "{");
  expect(await judged(DISKS)).toBe(false);
});
