import { describe, expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriverInfo } from "../../../src/cli/driver-info.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import { askDriver, askVolumes } from "../../../src/csi/admin-client.ts";
import { createAdminServer } from "../../../src/csi/admin-service.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks, MiB } from "../../../src/units.ts";
import { fakeTrims } from "./fake-trims.ts";
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

const asked = async (views: readonly PoolView[]): Promise<DriverInfo> =>
  serving(
    views.map((view) => ({ description, view }) as Pick<Pool, "description" | "view"> as Pool),
    async (socket) => askDriver(socket, 5000),
  );

async function serving<Answer>(pools: readonly Pool[], ask: (socket: string) => Promise<Answer>): Promise<Answer> {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-admin-"));
  const server = createAdminServer({ pools: () => pools, upkeep: new FakeUpkeep(), trims: fakeTrims, version: "1.2.3", node: "node-1", logger: silentLogger });
  try {
    await server.listen(join(folder, "admin.sock"));
    return await ask(join(folder, "admin.sock"));
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
      promisedBytes: GiB,
      inventory: { orphans: [{ number: 9, mappedBytes: GiB, transactionId: 3 }], discrepancies: [{ id: "vol-x", number: 4, reason: "missing" }] },
      stuck: { operation: "create", since: new Date(1_700_000_000_000) },
      memberDisks: ["/dev/sdb"],
      excludedDisks: [{ path: "/dev/sdc", reason: "it is mounted on /srv" }],
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
    memberDisks: ["/dev/sdb"],
    excludedDisks: [{ path: "/dev/sdc", reason: "it is mounted on /srv" }],
  });
});

test("a pool that starts or is refused is told as such, with the remedy, and no figures are made up", async () => {
  const refused: PoolView = { ...starting, status: { kind: "refused", reason: "its superblock is blank", remedy: "look at the disk" } };
  const { pools } = await asked([starting, { ...starting, status: { kind: "locked" } }, refused]);
  expect(pools.map(({ status }) => status)).toEqual(["RECOVERING", "LOCKED", "REFUSED"]);
  expect(pools[0]).toMatchObject({ figures: undefined, inventory: undefined, stuck: undefined, refusal: "" });
  expect(pools[2]).toMatchObject({ refusal: "its superblock is blank", remedy: "look at the disk" });
});

const ready: PoolView = { ...starting, status: { kind: "ready" } };
const never = async (): Promise<never> => new Promise(() => undefined);
const calling = (view: PoolView, calls: Partial<Pool["calls"]>): Pool => ({ description, view, calls }) as unknown as Pool;

describe("figures are read anew, and a pool that hangs is told as it was last seen", () => {
  test("each pool that serves is asked, and its answer is what is told", async () => {
    const view = { ...ready, promisedBytes: 1 };
    const refresh = async () => {
      view.promisedBytes = 2;
      return Promise.reject(new Error("only news count"));
    };
    const { pools } = await serving([calling(view, { refresh })], async (socket) => askDriver(socket, 5000));
    expect(pools[0]?.provisionedBytes).toBe(2);
  });

  test("one that does not answer holds up neither the others nor the answer; one that is known to be stuck is not asked", async () => {
    let asked = 0;
    const stuck = calling({ ...ready, stuck: { operation: "refresh", since: new Date() } }, { refresh: async () => (asked++, never()) });
    const { pools } = await serving([calling(ready, { refresh: never }), stuck], async (socket) => askDriver(socket, 60_000));
    expect(pools).toHaveLength(2);
    expect(asked).toBe(0);
  });

  test("volumes of a pool that cannot be measured in time are told all the same, and that they were not", async () => {
    const view = {
      ...ready,
      thins: await thins(),
      spaces: new Map([...(await thins()).keys()].map((id) => [id, { mappedBytes: MiB, exclusiveBytes: undefined }])),
    };
    const ask = async (measure: Pool["calls"]["measure"], measureMs: number) =>
      serving([calling(view, { measure })], async (socket) => askVolumes(socket, { pool: "", measureMs }, 60_000));
    const late = await ask(never, 1);
    expect(late.notMeasured).toEqual(["fast"]);
    expect(late.volumes.map(({ kind, mappedBytes, exclusiveBytes, deleting }) => ({ kind, mappedBytes, exclusiveBytes, deleting }))).toEqual([
      { kind: "VOLUME", mappedBytes: MiB, exclusiveBytes: undefined, deleting: false },
      { kind: "VOLUME", mappedBytes: MiB, exclusiveBytes: undefined, deleting: true },
      { kind: "SNAPSHOT", mappedBytes: MiB, exclusiveBytes: undefined, deleting: false },
    ]);
    expect((await ask(async () => undefined, 60_000)).notMeasured).toEqual([]);
    expect((await ask(never, 0)).notMeasured).toEqual([]);
  });

  test("a pool that is not there is an error", async () => {
    const wrong = serving([calling(ready, {})], async (socket) => askVolumes(socket, { pool: "x", measureMs: 0 }, 5000));
    await expect(wrong).rejects.toMatchObject({ details: "there is no pool x (there is fast)" });
  });
});
