import { expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriverInfo } from "../../../src/cli/driver-info.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { askDriver } from "../../../src/csi/admin-client.ts";
import { createAdminServer } from "../../../src/csi/admin-service.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks, MiB } from "../../../src/units.ts";
import { FakeUpkeep } from "./fake-upkeep.ts";
import { FakeVolumes } from "./fake-volumes.ts";

const description: PoolDescription = {
  name: "fast",
  isDefault: true,
  backing: {
    kind: "loop",
    directory: "/var/lib/pool",
    dataSize: bytes(10 * GiB),
    metadataSize: bytes(64 * MiB),
    maximumDataSize: bytes(10 * GiB),
    hostReserve: bytes(0),
  },
  chunkSize: bytes(64 * KiB),
  zeroNewBlocks: true,
  minimumFree: { dataPercent: 10, metadataPercent: 10 },
  overcommitRatio: 10,
  defaultVolumeSize: GiB,
  filesystem: "ext4",
  discardOnDelete: true,
  autoextend: { thresholdPercent: 80, percent: 20 },
  whenFull: "error",
  trim: undefined,
};
const starting: PoolView = {
  status: { kind: "recovering" },
  figures: undefined,
  thins: new Map(),
  groups: new Map(),
  promisedBytes: 0,
  inventory: undefined,
  stuck: undefined,
};

async function asked(views: readonly PoolView[]): Promise<DriverInfo> {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-admin-"));
  const pools = views.map((view) => ({ description, view }) as Pick<Pool, "description" | "view"> as Pool);
  const server = createAdminServer({ pools: () => pools, upkeep: new FakeUpkeep(), version: "1.2.3", node: "node-1", logger: silentLogger });
  try {
    await server.listen(join(folder, "admin.sock"));
    return await askDriver(join(folder, "admin.sock"), 5000);
  } finally {
    await server.close(AbortSignal.abort());
    await rm(folder, { recursive: true });
  }
}

/** Two volumes of 1 GiB, one of them being deleted, and a snapshot. */
async function thins(): Promise<PoolView["thins"]> {
  const fake = new FakeVolumes();
  const call = { signal: new AbortController().signal, deadline: undefined, requestId: "1" };
  const blank = { size: { requiredBytes: BigInt(GiB), limitBytes: undefined }, capabilities: [], origin: { kind: "blank" }, topology: undefined } as const;
  const parameters = { pool: undefined, filesystem: undefined, mkfsOptions: [], mutable: {} };
  const [kept, gone] = await Promise.all(["kept", "gone"].map(async (name) => (await fake.create({ ...blank, name, parameters }, call)).record));
  if (kept === undefined || gone === undefined) throw new TypeError("two volumes");
  const { record: snapshot } = await fake.createSnapshot({ name: "snap", sourceVolumeId: kept.id }, call);
  return new Map([kept, { ...gone, state: "deleting" as const }, snapshot].map((record) => [record.id, record]));
}

test("an operator reads every figure of a pool, in bytes, from its memory", async () => {
  const { driverVersion, node, pools } = await asked([
    {
      status: { kind: "ready" },
      figures: {
        state: "rw",
        transactionId: 7,
        chunkSize: bytes(64 * KiB),
        data: { used: chunks(100), total: chunks(163_840) },
        metadata: { used: metadataBlocks(5), total: metadataBlocks(16_384) },
        discardPassdown: true,
        queuesWhenFull: false,
      },
      thins: await thins(),
      groups: new Map(),
      promisedBytes: 0,
      inventory: { orphans: [{ number: 9, mappedBytes: GiB, transactionId: 3 }], discrepancies: [{ id: "vol-x", number: 4, reason: "missing" }] },
      stuck: { operation: "create", since: new Date(1_700_000_000_000) },
    },
  ]);
  expect([driverVersion, node]).toEqual(["1.2.3", "node-1"]);
  expect(pools[0]).toMatchObject({
    name: "fast",
    isDefault: true,
    status: "READY",
    backing: { loop: { directory: "/var/lib/pool", dataBytes: 10 * GiB, metadataBytes: 64 * MiB } },
    chunkBytes: 65_536,
    overcommitRatio: 10,
    filesystem: "ext4",
    discardOnDelete: true,
    zeroNewBlocks: true,
    figures: {
      state: "rw",
      transactionId: 7,
      data: { used: 100 * 65_536, total: 10 * GiB, minimumFree: GiB },
      metadata: { used: 5 * 4096, total: 64 * MiB, minimumFree: Math.ceil(6.4 * MiB) },
      discardPassdown: true,
      queuesWhenFull: false,
    },
    provisionedBytes: GiB,
    volumes: 1,
    snapshots: 1,
    groups: 0,
    inventory: { orphans: [{ number: 9, mappedBytes: GiB, transactionId: 3 }], discrepancies: [{ id: "vol-x", number: 4, reason: "missing" }] },
    stuck: { operation: "create", since: 1_700_000_000_000 },
  });
});

test("a pool that starts or is refused is told as such, with the remedy, and no figures are made up", async () => {
  const refused: PoolView = { ...starting, status: { kind: "refused", reason: "its superblock is blank", remedy: "look at the disk" } };
  const { pools } = await asked([starting, { ...starting, status: { kind: "locked" } }, refused]);
  expect(pools.map(({ status }) => status)).toEqual(["RECOVERING", "LOCKED", "REFUSED"]);
  expect(pools[0]).toMatchObject({ figures: undefined, inventory: undefined, stuck: undefined, refusal: "" });
  expect(pools[2]).toMatchObject({ refusal: "its superblock is blank", remedy: "look at the disk" });
});
