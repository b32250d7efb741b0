import type { ExtendTarget, Extension } from "../pool/care/care-report.ts";
import type { Part } from "../pool/backings/growth.ts";
import type { Orphan } from "../pool/pool-calls.ts";
import type { Bytes } from "../units.ts";
import type { Call, Volume } from "./volumes.ts";

/** What an operator does to a running driver's pools by hand. All throw "not-found" for a pool that is not served. */
export interface PoolUpkeep {
  /** Thin devices that no record knows, as they are now. */
  orphans(pool: string): Promise<readonly OrphanSeen[]>;
  /** Gives an orphan a name: it is a volume from then on. Repeated, finds it done. */
  adoptOrphan(wanted: AdoptionWanted, call: Call): Promise<Adopted>;
  /** `waiting`: something has its device open, and it goes when that is closed. */
  deleteOrphan(wanted: { readonly pool: string; readonly number: number }, call: Call): Promise<"removed" | "waiting">;
  /** For a volume that its cluster has no object of. @throws DmthinError `invalid-argument` where there is nothing to make known */
  makeKnown(wanted: { readonly volume: string; readonly pool: string | undefined }, call: Call): Promise<Unknown>;
  /** More disks for a pool whose backing has a place for them. Repeated, finds it done. */
  addDevices(pool: string, paths: readonly string[]): Promise<void>;
  extend(pool: string, part: Part, target: ExtendTarget): Promise<Extension>;
}

/** The metadata has no times. What was made before and after it, by the records, says between when it was made. */
export interface OrphanSeen extends Orphan {
  readonly notBefore: Date | undefined;
  readonly notAfter: Date | undefined;
}

/** In a cluster that has no object of a volume. */
export interface ToCluster {
  /** Those that make it known there, for kubectl. */
  readonly manifest: string;
  /** Commands that let go of the object whose place the manifest takes: of the same name, and another pool's. */
  readonly letGoFirst?: readonly string[];
}

export interface Unknown extends Volume, ToCluster {}

export interface Adopted extends Volume, Partial<ToCluster> {}

export interface AdoptionWanted {
  readonly pool: string;
  readonly number: number;
  readonly name: string;
  /** Without one: what its filesystem says, or else up to its last mapped chunk. Never less than either. */
  readonly sizeBytes: Bytes | undefined;
}
