import { expect, test } from "@jest/globals";
import type { VolumeRecord } from "../../../../src/catalog/records.ts";
import { LiveView } from "../../../../src/pool/worker/view.ts";
import { bytes } from "../../../../src/units.ts";
import { snapshotRecord, volumeRecord } from "../../records.ts";

const volume = (id: string, sizeBytes: number): VolumeRecord => volumeRecord(id, { sizeBytes: bytes(sizeBytes) });
const snapshot = snapshotRecord("snap-a", { sizeBytes: bytes(1000) });

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
