import type { Backing, PoolDescription } from "../../src/config/pool-description.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { bytes, KiB, MiB } from "../../src/units.ts";

/** What a scenario works with: a driver's pool, and what the users of its volumes do. Paths are device nodes or mount points. */
export interface Bench {
  readonly pool: Pool;
  /** Told apart from other runs on the same pool: part of every name. */
  readonly run: string;
  /** The power went before the call was answered: what users had not synced may be gone. */
  readonly unsyncedLost: boolean;
  /** Fills the first 256 KiB of a device, durably. */
  write(path: string, byte: number): Promise<void>;
  /** The byte that fills the first 256 KiB, or "mixed". */
  read(path: string): Promise<number | "mixed">;
  /** Makes an ext4 of the device. */
  format(path: string): Promise<void>;
  mount(path: string, mountPoint: string): Promise<void>;
  unmount(mountPoint: string): Promise<void>;
  /** Not synced: it is in memory only, until somebody writes it out. */
  writeFile(mountPoint: string, text: string): Promise<void>;
  /** An administrator makes what is below the pool's metadata a little larger. */
  enlargeMetadata(): void;
  /** How large the pool's metadata can be on what is below it. */
  mostMetadataBytes(): number;
  /** undefined when there is no such file. */
  readFile(mountPoint: string): Promise<string | undefined>;
}

export const SIZE = bytes(32 * MiB);
export const LARGER = bytes(48 * MiB);

/** Small, so that a guest has room for it beside its catalogue. `paths` name its two disks. */
export const describePool = (name: string, paths: { readonly data: string; readonly metadata: string; readonly backing?: Backing }): PoolDescription => ({
  name,
  isDefault: true,
  backing: paths.backing ?? { kind: "devices", data: paths.data, metadata: paths.metadata },
  chunkSize: bytes(64 * KiB),
  zeroNewBlocks: true,
  minimumFree: { dataPercent: 1, metadataPercent: 1 },
  overcommitRatio: 10_000,
  defaultVolumeSize: SIZE,
  filesystem: "ext4",
  discardOnDelete: false,
  autoextend: { thresholdPercent: 80, percent: 20 },
  whenFull: "error",
  trim: undefined,
});

/** How often and how long to look: jest's own time limit ends what never comes. */
export async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 2));
}
