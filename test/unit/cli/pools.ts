import type { DriverInfo, PoolInfo } from "../../../src/cli/driver-info.ts";
import { GiB, KiB, MiB } from "../../../src/units.ts";

export const fast: PoolInfo = {
  name: "fast",
  isDefault: true,
  status: "READY",
  refusal: "",
  remedy: "",
  backing: { loop: { directory: "/var/lib/dmthin/fast", dataBytes: 100 * GiB, metadataBytes: 219 * MiB } },
  chunkBytes: 64 * KiB,
  overcommitRatio: 10,
  filesystem: "ext4",
  discardOnDelete: true,
  zeroNewBlocks: true,
  figures: {
    state: "rw",
    transactionId: 57,
    data: { used: 42 * GiB, total: 100 * GiB, available: 58 * GiB, minimumFree: 10 * GiB },
    metadata: { used: 24 * MiB, total: 219 * MiB, available: 195 * MiB, minimumFree: 22 * MiB },
    discardPassdown: true,
    discardHindrance: "",
    queuesWhenFull: true,
    host: undefined,
  },
  provisionedBytes: 120 * GiB,
  volumes: 12,
  snapshots: 3,
  groups: 1,
  inventory: { orphans: [], discrepancies: [] },
  stuck: undefined,
  setup: {
    name: "dmthin-fast-pool",
    path: "/dev/dm-3",
    data: { path: "/dev/loop0", file: "/var/lib/dmthin/fast/data.img" },
    metadata: { path: "/dev/loop1", file: "/var/lib/dmthin/fast/metadata.img" },
    deviceMapperVersion: "4.50.0",
    thinPoolVersion: "1.23.0",
    thinVersion: "1.23.0",
  },
  care: {
    data: {
      headroom: 50 * GiB,
      thresholdPercent: 80,
      exhausted: false,
      failure: "",
      lastExtension: { at: Date.UTC(2026, 0, 1) - 300_000, from: 80 * GiB, to: 100 * GiB },
    },
    metadata: { headroom: GiB, thresholdPercent: 75, exhausted: false, failure: "", lastExtension: undefined },
    events: [{ at: Date.UTC(2026, 0, 1) - 300_000, kind: "extended", message: "its data was made larger, from 80 GiB to 100 GiB" }],
  },
  defaultVolumeBytes: 10 * GiB,
  whenFull: "auto",
  autoextendPercent: 20,
  deferredDeletions: 0,
  trimIntervalMs: 7 * 86_400_000,
  memberDisks: [],
  excludedDisks: [],
};

export const figures = (change: Partial<NonNullable<PoolInfo["figures"]>>): PoolInfo => ({
  ...fast,
  figures: { ...fast.figures, ...change } as NonNullable<PoolInfo["figures"]>,
});

export const refused: PoolInfo = {
  ...fast,
  name: "a-pool-whose-name-has-forty-characters-ok",
  isDefault: false,
  status: "REFUSED",
  refusal: "its superblock is blank, and the pool was formatted before",
  remedy: "restore the metadata device, or remove the pool's catalogue if what it held may be lost",
  backing: { devices: { data: "/dev/disk/by-id/nvme-SAMSUNG_MZQL21T9HCJR-00A07_S64GNE0R601234-part2", metadata: "/dev/disk/by-id/nvme-SAMSUNG-part1" } },
  figures: undefined,
  inventory: undefined,
  setup: undefined,
  care: undefined,
  volumes: 0,
  snapshots: 0,
  groups: 0,
};

export const driver: DriverInfo = { driverVersion: "0.1.0", node: "node1", pools: [fast, refused] };
