import type { Adopted, PoolUpkeep } from "../../../src/volumes/upkeep.ts";
import { bytes, GiB } from "../../../src/units.ts";
import { DmthinError } from "../../../src/errors.ts";
import { volumeRecord } from "../records.ts";

/** Answers as a pool with one orphan would, and notes what it is asked. */
export class FakeUpkeep implements PoolUpkeep {
  readonly asked: unknown[] = [];
  /** What of an adoption tells of the cluster. */
  known: Pick<Adopted, "manifest" | "letGoFirst"> = {};

  orphans: PoolUpkeep["orphans"] = async (pool) => {
    if (pool !== "fast") throw new DmthinError({ code: "not-found", kind: "pool", id: pool });
    return [{ number: 9, mappedBytes: GiB, transactionId: 3, notBefore: new Date(1_700_000_000_000), notAfter: undefined }];
  };

  adoptOrphan: PoolUpkeep["adoptOrphan"] = async (wanted) => {
    this.asked.push(wanted);
    const { number, name, sizeBytes = GiB } = wanted;
    return {
      ...this.known,
      node: "node-1",
      condition: { abnormal: false, message: "the volume is well" },
      pool: wanted.pool,
      record: volumeRecord("vol-x", { name, number, sizeBytes, filesystem: { type: "ext4", state: "formatted" } }),
    };
  };

  deleteOrphan: PoolUpkeep["deleteOrphan"] = async (wanted) => {
    this.asked.push(wanted);
    return wanted.number === 9 ? "removed" : "waiting";
  };

  makeKnown: PoolUpkeep["makeKnown"] = async ({ volume, pool = "fast" }) => {
    this.asked.push({ volume, pool });
    const record = volumeRecord("vol-x", { name: volume });
    return { manifest: "kind: ThinVolume\n", ...this.known, node: "node-1", condition: { abnormal: false, message: "the volume is well" }, pool, record };
  };

  addDevices: PoolUpkeep["addDevices"] = async (pool, paths) => {
    this.asked.push({ pool, paths });
  };

  extend: PoolUpkeep["extend"] = async (pool, part, target) => {
    this.asked.push({ pool, part, target });
    return { at: new Date(0), part, fromBytes: GiB, toBytes: bytes(2 * GiB), by: "request" };
  };
}
