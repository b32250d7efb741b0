import type { ThinRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";
import type { Pool } from "../pool/pool.ts";
import type { Bytes } from "../units.ts";
import { isReadOnly } from "./capabilities.ts";
import { requireServing } from "./pool-set.ts";

/** A filesystem that is mounted for writing. */
export interface Mounted {
  readonly id: string;
  readonly type: FilesystemType;
  readonly path: string;
  readonly sizeBytes: Bytes;
}

/** What a trim has come to: bytes that the volume maps less than before, or why there was nothing to do. */
export type TrimOutcome = { readonly givenBackBytes: Bytes } | { readonly leftAlone: string };

/** Where a volume's filesystem is mounted for writing, as far as its record tells; else in words why it cannot be trimmed. */
export function mountedOf(record: ThinRecord): Mounted | string {
  if (record.kind === "snapshot") return "a snapshot is never mounted";
  const { id, state, staging, filesystem, sizeBytes } = record;
  if (state !== "ready") return "it is being deleted";
  if (staging === undefined) return "it is not mounted on this machine";
  if (staging.capability.access !== "mount" || filesystem.type === undefined) return "it is a block volume: who uses it discards what it does not need";
  if (isReadOnly(staging.capability)) return "it is mounted read-only";
  return { id, type: filesystem.type, path: staging.path, sizeBytes };
}

/** A pool that cannot write its metadata cannot give blocks back either. Throws "pool-not-ready", "pool-refused" or "pool-not-writable". */
export function requireDiscards(pool: Pool): void {
  const { state } = requireServing(pool);
  if (state !== "rw" && state !== "out_of_data_space") throw new DmthinError({ code: "pool-not-writable", pool: pool.description.name, state });
}

export const takesDiscards = ({ view: { status, figures } }: Pool): boolean =>
  status.kind === "ready" && (figures?.state === "rw" || figures?.state === "out_of_data_space");
