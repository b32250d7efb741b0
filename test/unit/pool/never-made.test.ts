import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Catalog } from "../../../src/catalog/catalog.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import type { ListedDevice } from "../../../src/devicemapper/device-mapper.ts";
import { silentLogger, type Logger } from "../../../src/logger.ts";
import { CATALOG_COPY } from "../../../src/pool/catalog-copy.ts";
import { writeMark } from "../../../src/pool/backings/direct-lvm-mark.ts";
import { deviceUuid } from "../../../src/pool/names.ts";
import { wasNeverMade } from "../../../src/pool/never-made.ts";
import { GiB, KiB, MiB, bytes } from "../../../src/units.ts";
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

const LOOP: PoolDescription = {
  ...DEVICES,
  backing: { kind: "loop", directory: "elsewhere", dataSize: GiB, metadataSize: bytes(16 * MiB), maximumDataSize: GiB, hostReserve: bytes(0) },
};

let folder = "";
let stateDirectory = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmthin-never-made-"));
  stateDirectory = join(folder, "fast");
  mkdirSync(stateDirectory);
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Found {
  /** Where the disks' copy of the catalogue would be. */
  readonly copyFolder?: string;
  /** By name; "unknown": the kernel does not tell. */
  readonly devices?: readonly string[] | "unknown";
}

/** Also answers how often it was told that nobody can tell. */
async function judge(
  description: PoolDescription,
  { copyFolder, devices = [] }: Found = {},
): Promise<{ readonly isNeverMade: boolean; readonly doubts: number }> {
  let doubts = 0;
  const logger: Logger = { ...silentLogger, warn: () => void (doubts += 1) };
  const list = (): readonly ListedDevice[] => {
    if (devices === "unknown") throw new Error("the kernel does not tell");
    return devices.map((name, minor) => ({ name, uuid: deviceUuid("7c9e", name), major: 252, minor }));
  };
  const backing = copyFolder === undefined ? {} : { catalogCopyFolder: copyFolder };
  return { isNeverMade: await wasNeverMade(description, { stateDirectory, bootId: "boot", backing, dm: { list }, logger }), doubts };
}

const judged = async (description: PoolDescription, found: Found = {}): Promise<boolean> => (await judge(description, found)).isNeverMade;
const UNKNOWABLE = { isNeverMade: false, doubts: 1 };

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

test("so is the copy beside its files, where the state directory was lost", async () => {
  const copyFolder = join(folder, "files");
  expect(await judged(LOOP, { copyFolder })).toBe(true);
  mkdirSync(copyFolder);
  expect(await judged(LOOP, { copyFolder })).toBe(true);
  writeFileSync(join(copyFolder, CATALOG_COPY), "");
  expect(await judged(LOOP, { copyFolder })).toBe(false);
});

test("a pool with a device in the kernel was made, whatever is on record; another pool's device says nothing", async () => {
  expect(await judged(DEVICES, { devices: ["dmthin-fast-pool"] })).toBe(false);
  expect(await judged(DISKS, { devices: [`dmthin-fast-vol-${"a".repeat(26)}`] })).toBe(false);
  expect(await judged(DEVICES, { devices: ["dmthin-faster-pool"] })).toBe(true);
  expect(await judge(DEVICES, { devices: "unknown" })).toEqual(UNKNOWABLE);
});

test("what cannot be read proves nothing", async () => {
  writeFileSync(join(stateDirectory, "catalog.db"), "x".repeat(8 * KiB));
  expect(await judge(DEVICES)).toEqual(UNKNOWABLE);
  writeFileSync(join(stateDirectory, "volume-group.json"), "{");
  expect(await judge(DISKS)).toEqual(UNKNOWABLE);
});

test("a catalogue that cannot be opened, or a mark that cannot, proves nothing, and fails nobody", async () => {
  mkdirSync(join(stateDirectory, "catalog.db"));
  expect(await judge(DEVICES)).toEqual(UNKNOWABLE);
  mkdirSync(join(stateDirectory, "volume-group.json"));
  expect(await judge(DISKS)).toEqual(UNKNOWABLE);
});

test("nor does a folder that is none", async () => {
  rmSync(stateDirectory, { recursive: true });
  writeFileSync(stateDirectory, "");
  expect([await judge(DEVICES), await judge(DISKS), await judge(LOOP)]).toEqual([UNKNOWABLE, UNKNOWABLE, UNKNOWABLE]);
});

test("nor does a copy that cannot be looked for", async () => {
  const copyFolder = join(folder, "files");
  writeFileSync(copyFolder, "");
  expect(await judge(LOOP, { copyFolder })).toEqual(UNKNOWABLE);
});

test("nor does a folder that is not there: each attempt makes it", async () => {
  rmSync(stateDirectory, { recursive: true });
  expect([await judged(DEVICES), await judged(DISKS), await judged(LOOP)]).toEqual([false, false, false]);
});
