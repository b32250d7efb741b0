import { bytes, type Bytes } from "../units.ts";

/** What LVM reports, by `--reportformat json --units b --nosuffix`. Source: lvmreport(7). */
export interface PhysicalVolume {
  /** The path by which LVM knows the disk. */
  readonly device: string;
  readonly uuid: string;
  /** undefined: in no volume group that LVM knows. */
  readonly group: string | undefined;
  readonly groupUuid: string | undefined;
  readonly sizeBytes: Bytes;
  readonly extents: number;
  readonly freeExtents: number;
  /** Of a volume group, which may be one whose metadata is on disks that LVM was not shown. */
  readonly inUse: boolean;
  /** Its disk is not among those that LVM was shown. */
  readonly missing: boolean;
}

export interface VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  readonly tags: readonly string[];
  readonly extentBytes: Bytes;
  readonly extents: number;
  readonly freeExtents: number;
  readonly missingPhysicalVolumes: number;
}

export interface LogicalVolume {
  /** Without the brackets that LVM puts around what it hides, such as "pool_tmeta". */
  readonly name: string;
  readonly uuid: string;
  readonly groupUuid: string;
  readonly hidden: boolean;
  readonly sizeBytes: Bytes;
  readonly tags: readonly string[];
  /** "linear", "thin-pool", "thin", … */
  readonly segmentType: string;
  readonly active: boolean;
  /** Of a thin pool. */
  readonly pool: PoolReport | undefined;
  /** The thin pool that a thin volume is in. */
  readonly inPool: string | undefined;
}

export interface PoolReport {
  readonly data: string;
  readonly metadata: string;
  readonly transactionId: number;
  readonly chunkSize: Bytes;
  readonly zeroes: boolean;
  readonly profile: string | undefined;
  readonly whenFull: "queue" | "error";
  readonly monitored: boolean;
}

export const PHYSICAL_VOLUME_FIELDS = "pv_name,pv_uuid,vg_name,vg_uuid,pv_size,pv_pe_count,pv_pe_alloc_count,pv_missing,pv_in_use";
export const VOLUME_GROUP_FIELDS = "vg_name,vg_uuid,vg_tags,vg_extent_size,vg_extent_count,vg_free_count,vg_missing_pv_count";
export const LOGICAL_VOLUME_FIELDS =
  "lv_name,lv_uuid,vg_uuid,lv_size,lv_tags,segtype,lv_active,transaction_id,chunk_size,zero,data_lv,metadata_lv,pool_lv,lv_profile,lv_when_full,seg_monitor";

/** The rows of a report's only table. */
export function parseReport(text: string): readonly Row[] {
  const parsed = JSON.parse(text) as { readonly report?: readonly Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>[] };
  const rows = (parsed.report ?? []).flatMap((tables) => Object.values(tables).flat());
  return rows.map((row) => new Row(row));
}

/** LVM's name for the group of a disk that is in use, when no disk that it was shown tells of which. */
const UNKNOWN_GROUP = "[unknown]";

export const isGroupKnown = (row: Row): boolean => ![undefined, UNKNOWN_GROUP].includes(row.optional("vg_name"));

export const physicalVolume = (row: Row): PhysicalVolume => ({
  device: row.text("pv_name"),
  uuid: row.text("pv_uuid"),
  group: isGroupKnown(row) ? row.optional("vg_name") : undefined,
  groupUuid: isGroupKnown(row) ? row.optional("vg_uuid") : undefined,
  sizeBytes: bytes(row.count("pv_size")),
  extents: row.count("pv_pe_count"),
  freeExtents: row.count("pv_pe_count") - row.count("pv_pe_alloc_count"),
  inUse: row.text("pv_in_use") !== "",
  missing: row.text("pv_missing") !== "",
});

export const volumeGroup = (row: Row): VolumeGroup => ({
  name: row.text("vg_name"),
  uuid: row.text("vg_uuid"),
  tags: row.list("vg_tags"),
  extentBytes: bytes(row.count("vg_extent_size")),
  extents: row.count("vg_extent_count"),
  freeExtents: row.count("vg_free_count"),
  missingPhysicalVolumes: row.count("vg_missing_pv_count"),
});

/** A volume in several segments has a row for each: they differ in nothing that is asked for here. */
export function logicalVolumes(rows: readonly Row[]): readonly LogicalVolume[] {
  return [...new Map(rows.map((row) => [row.text("lv_uuid"), logicalVolume(row)])).values()];
}

const logicalVolume = (row: Row): LogicalVolume => ({
  name: unbracketed(row.text("lv_name")),
  uuid: row.text("lv_uuid"),
  groupUuid: row.text("vg_uuid"),
  hidden: row.text("lv_name").startsWith("["),
  sizeBytes: bytes(row.count("lv_size")),
  tags: row.list("lv_tags"),
  segmentType: row.text("segtype"),
  active: row.text("lv_active") !== "",
  pool: row.text("segtype") === "thin-pool" ? poolReport(row) : undefined,
  inPool: row.optional("pool_lv"),
});

const poolReport = (row: Row): PoolReport => ({
  data: unbracketed(row.text("data_lv")),
  metadata: unbracketed(row.text("metadata_lv")),
  transactionId: row.count("transaction_id"),
  chunkSize: bytes(row.count("chunk_size")),
  zeroes: row.text("zero") === "zero",
  profile: row.optional("lv_profile"),
  whenFull: row.text("lv_when_full") === "error" ? "error" : "queue",
  monitored: row.text("seg_monitor") === "monitored",
});

const unbracketed = (name: string): string => name.replaceAll(/[[\]]/g, "");

export class Row {
  readonly #fields: Readonly<Record<string, string>>;

  constructor(fields: Readonly<Record<string, string>>) {
    this.#fields = fields;
  }

  /** Throws RangeError for a field that was not asked for. */
  text(name: string): string {
    const value = this.#fields[name];
    if (value === undefined) throw new RangeError(`LVM's report has no ${name}`);
    return value;
  }

  optional(name: string): string | undefined {
    const value = this.text(name);
    return value === "" ? undefined : value;
  }

  list(name: string): readonly string[] {
    return this.text(name)
      .split(",")
      .filter((each) => each !== "");
  }

  count(name: string): number {
    const value = Number(this.text(name));
    if (!Number.isSafeInteger(value)) throw new RangeError(`LVM's report has ${this.text(name)} for ${name}`);
    return value;
  }
}
