import type { SQLOutputValue } from "node:sqlite";
import { bytes } from "../units.ts";
import type { Intent } from "./intent.ts";
import type { GroupRecord, Publication, Staging, ThinRecord, VolumeRecord } from "./records.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;
interface Use {
  readonly staging?: Staging;
  readonly publications: readonly Publication[];
}

/** JSON as written below: the file is this program's own, opened by it alone, and checked when opened. */
const parse = (details: SQLOutputValue | undefined): unknown => JSON.parse(String(details));

export const readIntent = (details: SQLOutputValue | undefined): Intent => parse(details) as Intent;

export function readGroup(details: SQLOutputValue | undefined): GroupRecord {
  const stored = parse(details) as GroupRecord & { readonly createdAt: string };
  return { ...stored, createdAt: new Date(stored.createdAt) };
}

/** A row of `thin`, with the details of its `use` as `use_details`: null where it has none in this boot. */
export function readThin(row: Row): ThinRecord {
  const stored = parse(row["details"]) as ThinRecord & { readonly createdAt: string };
  const columns = {
    id: String(row["id"]),
    number: Number(row["number"]),
    sizeBytes: bytes(Number(row["size_bytes"])),
    state: row["state"] === "deleting" ? ("deleting" as const) : ("ready" as const),
    createdAt: new Date(stored.createdAt),
  };
  if (stored.kind === "snapshot") return { ...stored, ...columns };
  const trimmed = stored.trimmedAt === undefined ? {} : { trimmedAt: new Date(stored.trimmedAt) };
  return { ...stored, ...columns, ...trimmed, ...readUse(row["use_details"]) };
}

function readUse(details: SQLOutputValue | undefined): Pick<VolumeRecord, "staging" | "publications"> {
  if (details === null || details === undefined) return { staging: undefined, publications: [] };
  const use = parse(details) as Use;
  return { staging: use.staging, publications: use.publications };
}

/** What has no column of its own. How a volume is used just now is kept apart, since it ends with the boot. */
export function writeThinDetails(record: ThinRecord): string {
  const { id: _id, number: _number, sizeBytes: _sizeBytes, state: _state, ...rest } = record;
  if (rest.kind === "snapshot") return JSON.stringify(rest);
  const { staging: _staging, publications: _publications, ...details } = rest;
  return JSON.stringify(details);
}

export function writeUse(record: VolumeRecord): string | undefined {
  if (record.staging === undefined && record.publications.length === 0) return undefined;
  return JSON.stringify({ staging: record.staging, publications: record.publications });
}
