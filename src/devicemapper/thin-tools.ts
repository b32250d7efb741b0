import type { Chunks } from "../units.ts";

/** One row of `thin_ls`: what the metadata says about a thin device. */
export interface ThinListing {
  readonly number: number;
  readonly mappedChunks: Chunks;
  /** Mapped by this device alone; undefined unless asked for, since it walks the whole mapping. */
  readonly exclusiveChunks: Chunks | undefined;
  /** The pool's transaction id when the device was made. */
  readonly transactionId: number;
}

/** thin-provisioning-tools, on a metadata device: offline, or online beside a metadata snapshot (`live`). */
export interface ThinTools {
  /** Rejects with "program-failed" when the metadata is damaged. Offline only. */
  check(metadataPath: string, signal?: AbortSignal): Promise<void>;
  list(metadataPath: string, options: { readonly live: boolean; readonly exclusive?: boolean }, signal?: AbortSignal): Promise<readonly ThinListing[]>;
}
