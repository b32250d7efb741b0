import type { ThinRecord, VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";

type Thins = ReadonlyMap<string, ThinRecord>;

/** The volume or snapshot with this id. Throws "not-found", or "being-deleted". */
export function readyThin(thins: Thins, id: string): ThinRecord {
  const record = thins.get(id);
  const kind = id.startsWith("snap-") ? "snapshot" : "volume";
  if (record === undefined) throw new DmthinError({ code: "not-found", kind, id });
  if (record.state === "deleting") throw new DmthinError({ code: "being-deleted", kind, id });
  return record;
}

/** The volume with this id. Throws "not-found", or "being-deleted". */
export function readyVolume(thins: Thins, id: string): VolumeRecord {
  const record = readyThin(thins, id);
  if (record.kind !== "volume") throw new DmthinError({ code: "not-found", kind: "volume", id });
  return record;
}
