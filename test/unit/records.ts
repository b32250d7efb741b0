import type { SnapshotRecord, VolumeRecord } from "../../src/catalog/records.ts";
import type { PoolFigures } from "../../src/pool/pool-calls.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks } from "../../src/units.ts";

const thin = { name: "x", number: 1, sizeBytes: GiB, createdAt: new Date(0), transactionId: 2, state: "ready" } as const;

/** A blank volume of 1 GiB, as the catalogue has it. */
export const volumeRecord = (id: string, change: Partial<VolumeRecord> = {}): VolumeRecord => ({
  ...thin,
  kind: "volume",
  id,
  filesystem: { type: "ext4", state: "none" },
  origin: { kind: "blank" },
  capabilities: [],
  mkfsOptions: [],
  parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
  renewIdentity: false,
  growFilesystem: false,
  staging: undefined,
  publications: [],
  ...change,
});

export const snapshotRecord = (id: string, change: Partial<SnapshotRecord> = {}): SnapshotRecord => ({
  ...thin,
  kind: "snapshot",
  id,
  filesystem: { type: "ext4", state: "none" },
  sourceVolumeId: "vol-a",
  groupId: undefined,
  ...change,
});

/** Of a pool with a tenth of each of its parts used. */
export const HEALTHY: PoolFigures = {
  state: "rw",
  transactionId: 1,
  chunkSize: bytes(64 * KiB),
  data: { used: chunks(10), total: chunks(100) },
  metadata: { used: metadataBlocks(10), total: metadataBlocks(100) },
  discardPassdown: true,
  queuesWhenFull: true,
};
