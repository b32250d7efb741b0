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
    data: { used: 42 * GiB, total: 100 * GiB, minimumFree: 10 * GiB },
    metadata: { used: 24 * MiB, total: 219 * MiB, minimumFree: 22 * MiB },
    discardPassdown: true,
    queuesWhenFull: true,
  },
  provisionedBytes: 120 * GiB,
  volumes: 12,
  snapshots: 3,
  groups: 1,
  inventory: { orphans: [], discrepancies: [] },
  stuck: undefined,
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
};

export const driver: DriverInfo = { driverVersion: "0.1.0", node: "node1", pools: [fast, refused] };
