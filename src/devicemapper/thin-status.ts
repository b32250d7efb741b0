import { chunks, metadataBlocks, sectors, type Chunks, type MetadataBlocks, type Sectors } from "../units.ts";
import { words } from "./thin-table.ts";

/**
 * What the kernel says of a pool and of a thin device. Fields that a newer kernel adds are passed over; what an older one
 * does not say comes as it behaves. Source: thin-provisioning.rst, "Status", and drivers/md/dm-thin.c, pool_status, thin_status.
 */
export type PoolTargetStatus = PoolFailure | PoolReport;

/** The pool has lost its metadata, or cannot read it: it says nothing else then. */
export interface PoolFailure {
  readonly mode: "Fail" | "Error";
}

export interface PoolReport {
  readonly mode: "rw" | "ro" | "out_of_data_space";
  readonly transactionId: number;
  readonly metadata: { readonly used: MetadataBlocks; readonly total: MetadataBlocks };
  readonly data: { readonly used: Chunks; readonly total: Chunks };
  /** The metadata block of the metadata snapshot, where there is one. */
  readonly heldMetadataRoot: number | undefined;
  /** What is discarded in the pool is discarded on its data device as well. */
  readonly discardPassdown: boolean;
  /** Writes that find the pool full wait for `no_space_timeout` before they fail. */
  readonly queueIfNoSpace: boolean;
  /** thin_check must be run before the pool can be written again. */
  readonly needsCheck: boolean;
  /** undefined where the kernel does not say. */
  readonly metadataLowWaterMark: MetadataBlocks | undefined;
}

/** Throws when the text is no pool's status: nothing may be decided on a guess. */
export function parsePoolStatus(text: string): PoolTargetStatus {
  if (text === "Fail" || text === "Error") return { mode: text };
  const [transactionId = "", metadata = "", data = "", root = "", mode = "", ...more] = words(text);
  const [usedMetadata, totalMetadata] = pair(metadata, text);
  const [usedData, totalData] = pair(data, text);
  if (mode !== "rw" && mode !== "ro" && mode !== "out_of_data_space") throw unreadable("pool", text);
  return {
    mode,
    transactionId: whole(transactionId, text),
    metadata: { used: metadataBlocks(usedMetadata), total: metadataBlocks(totalMetadata) },
    data: { used: chunks(usedData), total: chunks(totalData) },
    heldMetadataRoot: root === "-" ? undefined : whole(root, text),
    discardPassdown: !more.includes("no_discard_passdown") && !more.includes("ignore_discard"),
    queueIfNoSpace: !more.includes("error_if_no_space"),
    needsCheck: more.includes("needs_check"),
    metadataLowWaterMark: lowWaterMark(more),
  };
}

export type ThinTargetStatus =
  | { readonly mode: "Fail" | "Error" }
  | {
      readonly mode: "active";
      readonly mappedSectors: Sectors;
      /** undefined when nothing is mapped. */
      readonly highestMappedSector: Sectors | undefined;
    };

/** "0 -" is a device to which nothing was ever written, or all of which was given back. */
export function parseThinStatus(text: string): ThinTargetStatus {
  if (text === "Fail" || text === "Error") return { mode: text };
  // Said of a device whose thin is not open in the metadata.
  if (text === "-") return { mode: "Error" };
  const [mapped = "", highest = ""] = words(text);
  if (highest === "") throw unreadable("thin", text);
  return {
    mode: "active",
    mappedSectors: sectors(whole(mapped, text)),
    highestMappedSector: highest === "-" ? undefined : sectors(whole(highest, text)),
  };
}

function whole(word: string, text: string): number {
  const value = Number(word);
  if (!/^\d+$/.test(word) || !Number.isSafeInteger(value)) throw unreadable("number in", text);
  return value;
}

function pair(word: string, text: string): readonly [number, number] {
  const [used = "", total = ""] = word.split("/");
  return [whole(used, text), whole(total, text)];
}

/** Since Linux 4.20: after discards, queueing and needs_check, which each take one word. */
function lowWaterMark(more: readonly string[]): MetadataBlocks | undefined {
  const word = more[3] ?? "";
  return /^\d+$/.test(word) ? metadataBlocks(Number(word)) : undefined;
}

const unreadable = (what: string, text: string): Error => new Error(`the kernel's ${what} status cannot be read: ${JSON.stringify(text)}`);
