import { expect, test } from "@jest/globals";
import type { SnapshotRecord, VolumeRecord } from "../../../src/catalog/records.ts";
import { LiveView } from "../../../src/pool/view.ts";
import { bytes } from "../../../src/units.ts";

const thin = { name: "x", number: 1, createdAt: new Date(0), transactionId: 2, state: "ready", filesystem: { type: "ext4", state: "none" } } as const;
const volume = (id: string, sizeBytes: number): VolumeRecord => ({
  ...thin,
  kind: "volume",
  id,
  sizeBytes: bytes(sizeBytes),
  origin: { kind: "blank" },
  capabilities: [],
  mkfsOptions: [],
  parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
  renewIdentity: false,
  growFilesystem: false,
  staging: undefined,
  publications: [],
});
const snapshot: SnapshotRecord = { ...thin, kind: "snapshot", id: "snap-a", sizeBytes: bytes(1000), sourceVolumeId: "vol-a", groupId: undefined };

test("what is promised follows every change, and counts volumes that are there, at their size now", () => {
  const view = new LiveView();
  view.apply({ kind: "catalog", poolUuid: "one", thins: [volume("vol-a", 10), { ...volume("vol-b", 20), state: "deleting" }, snapshot], groups: [] });
  expect(view.promisedBytes).toBe(10);
  view.apply({ kind: "thin", record: volume("vol-c", 5) });
  view.apply({ kind: "thin", record: { ...snapshot, id: "snap-b" } });
  expect(view.promisedBytes).toBe(15);
  view.apply({ kind: "thin", record: volume("vol-a", 30) });
  expect(view.promisedBytes).toBe(35);
  view.apply({ kind: "thin", record: { ...volume("vol-a", 30), state: "deleting" } });
  view.apply({ kind: "thin-gone", id: "vol-a" });
  view.apply({ kind: "thin-gone", id: "vol-unknown" });
  expect(view.promisedBytes).toBe(5);
  view.apply({ kind: "catalog", poolUuid: "one", thins: [volume("vol-d", 7)], groups: [] });
  expect(view.promisedBytes).toBe(7);
});
