import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Catalog } from "../../../src/catalog/catalog.ts";
import { openDatabase } from "../../../src/catalog/open.ts";
import type { SnapshotRecord, VolumeRecord } from "../../../src/catalog/records.ts";
import { MIGRATIONS } from "../../../src/catalog/schema.ts";
import { GiB, KiB, bytes } from "../../../src/units.ts";

const FRESH = { name: "fast", uuid: "7c9e", chunkSize: bytes(64 * KiB) };
const volume: VolumeRecord = {
  kind: "volume",
  id: "vol-aaaaaaaaaaaaaaaaaaaaaaaaaa",
  name: "pvc-1 \n ü / ..",
  number: 1,
  sizeBytes: GiB,
  createdAt: new Date("2026-01-02T03:04:05.678Z"),
  transactionId: 2,
  state: "ready",
  filesystem: { type: "ext4", state: "formatted" },
  origin: { kind: "blank" },
  capabilities: [{ access: "mount", filesystem: "ext4", mountFlags: ["noatime"], mode: "SINGLE_NODE_WRITER" }],
  mkfsOptions: ["-m", "0"],
  parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
  renewIdentity: false,
  growFilesystem: true,
  staging: { path: "/staging", capability: { access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" } },
  publications: [{ path: "/pod", readOnly: true, capability: { access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" } }],
};
const snapshot: SnapshotRecord = {
  kind: "snapshot",
  id: "snap-aaaaaaaaaaaaaaaaaaaaaaaaaa",
  name: "snapshot-1",
  number: 2,
  sizeBytes: GiB,
  createdAt: new Date("2026-01-02T03:04:06.789Z"),
  transactionId: 3,
  state: "ready",
  filesystem: { type: "ext4", state: "formatted" },
  sourceVolumeId: volume.id,
  groupId: undefined,
};
const group = { id: "group-aaaaaaaaaaaaaaaaaaaaaaaaaa", name: "nightly", createdAt: new Date(5), snapshotIds: [snapshot.id], sourceVolumeIds: [volume.id] };

let folder: string;
let path: string;
let opened: Catalog | undefined;
let isOpen = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "catalog-"));
  path = join(folder, "catalog.db");
});
afterEach(() => {
  if (isOpen) opened?.close();
  rmSync(folder, { recursive: true });
});
function open(bootId = "boot-1", fresh = FRESH): Catalog {
  opened = Catalog.open(path, bootId, fresh);
  isOpen = true;
  return opened;
}
function close(): void {
  opened?.close();
  isOpen = false;
}
function reopen(bootId = "boot-1"): Catalog {
  close();
  return open(bootId);
}

describe("what was committed", () => {
  test("is there after a restart, field by field", () => {
    open().change((writer) => {
      writer.putThin(volume);
      writer.putThin(snapshot);
      writer.putGroup(group);
      writer.setTransactionId(3);
    });
    const again = reopen();
    expect(again.thins.get(volume.id)).toEqual(volume);
    expect(again.thins.get(snapshot.id)).toEqual(snapshot);
    expect(again.groups.get(group.id)).toEqual(group);
    expect(again.identity).toEqual({ ...FRESH, formatted: false, transactionId: 3, nextNumber: 1 });
  });

  test("is there when the process was killed and nothing was closed", () => {
    open().change((writer) => writer.putThin(snapshot));
    const stolen = join(folder, "stolen.db");
    copyFileSync(path, stolen);
    copyFileSync(`${path}-wal`, `${stolen}-wal`);
    const copy = Catalog.open(stolen, "boot-1", FRESH);
    expect(copy.thins.get(snapshot.id)).toEqual(snapshot);
    copy.close();
  });

  test("is whole or not at all: an error in the middle of a change leaves nothing of it, on disk and in memory", () => {
    const catalog = open();
    expect(() =>
      catalog.change((writer) => {
        writer.putThin(volume);
        writer.setTransactionId(9);
        throw new Error("in the middle");
      }),
    ).toThrow("in the middle");
    for (const state of [catalog, reopen()]) {
      expect(state.thins.size).toBe(0);
      expect(state.identity.transactionId).toBe(0);
    }
  });
});

test("a mount of an earlier boot is not taken for one of this boot", () => {
  open().change((writer) => writer.putThin(volume));
  expect(reopen("boot-1").thins.get(volume.id)).toMatchObject({ staging: volume.staging });
  expect(reopen("boot-2").thins.get(volume.id)).toMatchObject({ staging: undefined, publications: [] });
});

test("what a volume was used for is forgotten with it", () => {
  const catalog = open();
  catalog.change((writer) => writer.putThin(volume));
  catalog.change((writer) => writer.putThin({ ...volume, staging: undefined, publications: [] }));
  expect(reopen().thins.get(volume.id)).toMatchObject({ staging: undefined, publications: [] });
});

test("a number that an intent has named is never given out again, whatever became of the intent", () => {
  const catalog = open();
  expect(catalog.nextNumbers(3)).toEqual([1, 2, 3]);
  catalog.change((writer) => writer.openIntent({ kind: "snapshot", from: 0, ids: [], numbers: [1, 2, 3] }));
  expect(reopen().intent).toEqual({ kind: "snapshot", from: 0, ids: [], numbers: [1, 2, 3] });
  reopen().change((writer) => writer.closeIntent());
  expect(reopen().intent).toBeUndefined();
  expect(reopen().nextNumbers(1)).toEqual([4]);
});

test("a second intent beside an open one is refused: one transition at a time", () => {
  const catalog = open();
  catalog.change((writer) => writer.openIntent({ kind: "create", from: 0, ids: [], numbers: [1] }));
  expect(() => catalog.change((writer) => writer.openIntent({ kind: "create", from: 0, ids: [], numbers: [2] }))).toThrow();
  expect(catalog.intent?.numbers).toEqual([1]);
});

test("two volumes never share a thin device number", () => {
  const catalog = open();
  catalog.change((writer) => writer.putThin(volume));
  expect(() => catalog.change((writer) => writer.putThin({ ...snapshot, number: volume.number }))).toThrow();
});

test("when the 24 bits of numbers are used up, no number is given out twice", () => {
  const catalog = open();
  catalog.change((writer) => writer.setNextNumber(2 ** 24 - 1));
  expect(catalog.nextNumbers(1)).toEqual([2 ** 24 - 1]);
  expect(() => catalog.nextNumbers(2)).toThrow(/out of thin device numbers/);
});

describe("a file that is not this pool's catalogue is left as it is", () => {
  test("another pool's", () => {
    open();
    close();
    expect(() => open("boot-1", { ...FRESH, name: "slow" })).toThrow(/catalogue of pool fast/);
  });

  test("another program's database", () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE bookmarks (url TEXT)");
    other.close();
    expect(() => open()).toThrow(/database of something else/);
  });

  test("no database at all", () => {
    writeFileSync(path, "dear diary, ".repeat(1000));
    expect(() => open()).toThrow(/cannot be read as a catalogue/);
  });

  test("one that cannot be opened", () => {
    mkdirSync(path);
    expect(() => open()).toThrow(expect.objectContaining({ facts: expect.objectContaining({ code: "catalog-refused", path, reason: "it cannot be opened" }) }));
  });

  test("one that another process has open", () => {
    open();
    expect(() => Catalog.open(path, "boot-1", FRESH)).toThrow(/another process has it open/);
  });

  test("one that a newer program wrote", () => {
    open();
    close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    expect(() => open()).toThrow(/schema 99, and this program knows schemas up to 1/);
  });
});

test("a migration keeps a backup of what it found", () => {
  open().change((writer) => writer.putThin(snapshot));
  close();
  const migrated = openDatabase(path, [...MIGRATIONS, (database) => database.exec("ALTER TABLE thin ADD COLUMN colour TEXT")]);
  expect(migrated.prepare("SELECT id, colour FROM thin").all()).toEqual([{ id: snapshot.id, colour: null }]);
  migrated.close();
  const backup = `${path}.schema-1.backup`;
  expect(existsSync(backup)).toBe(true);
  const old = Catalog.open(backup, "boot-1", FRESH);
  expect(old.thins.get(snapshot.id)).toEqual(snapshot);
  old.close();
});
