import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { askDriver } from "../../../src/csi/admin-client.ts";
import { createAdminServer } from "../../../src/csi/admin-service.ts";
import { CARE_EVENTS, type CareEventKind } from "../../../src/pool/care/care-report.ts";
import type { PoolDescription } from "../../../src/config/pool-description.ts";
import type { DriverInfo } from "../../../src/cli/driver-info.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import { GiB, MiB, bytes, chunks, metadataBlocks } from "../../../src/units.ts";
import { fakeTrims } from "../csi/fake-trims.ts";
import { FakeUpkeep } from "../csi/fake-upkeep.ts";
import { parse } from "../config/document.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dmthin-ask-"));
});
afterAll(async () => rm(directory, { recursive: true }));

const { pools } = parse({
  pools: [
    { name: "fast", default: true, backing: { loop: { directory: "/var/lib/fast", dataSize: "100Gi" } } },
    { name: "big", backing: { devices: { data: "/dev/a", metadata: "/dev/b" } } },
  ],
});

const blank: Omit<PoolView, "status"> = { figures: undefined, thins: new Map(), groups: new Map(), promisedBytes: 0, inventory: undefined, stuck: undefined };
const part = { sizeBytes: GiB, headroomBytes: MiB, thresholdPercent: 80, exhausted: false, lastExtension: undefined, failure: undefined };
const views: Readonly<Record<string, PoolView>> = {
  fast: {
    ...blank,
    status: { kind: "ready" },
    figures: {
      state: "rw",
      transactionId: 57,
      chunkSize: bytes(65_536),
      data: { used: chunks(16_384), total: chunks(1_638_400) },
      metadata: { used: metadataBlocks(256), total: metadataBlocks(56_064) },
      discardPassdown: false,
      queuesWhenFull: true,
      host: { freeBytes: bytes(5 * GiB), reserveBytes: GiB },
    },
    setup: {
      name: "dmthin-fast-pool",
      path: "/dev/dm-3",
      data: { path: "/dev/loop0", file: "/x/data.img", discardMaxBytes: bytes(0) },
      metadata: { path: "/dev/loop1", file: undefined, discardMaxBytes: undefined },
      versions: { deviceMapper: "4.50.0", thinPool: "1.23.0", thin: undefined },
    },
    care: {
      data: { ...part, lastExtension: { at: new Date(5), part: "data", fromBytes: MiB, toBytes: GiB, by: "care" } },
      metadata: { ...part, thresholdPercent: undefined, exhausted: true, failure: "no" },
      counts: Object.fromEntries(CARE_EVENTS.map((kind) => [kind, 0])) as Record<CareEventKind, number>,
      events: [{ at: new Date(7), kind: "low", part: "data", message: "little is left" }],
      nextLookMs: 1000,
    },
    deferredDeletions: new Map([["vol-z", "held-open"]]),
    memberDisks: ["/dev/sdb"],
    excludedDisks: [{ path: "/dev/sdc", reason: "it holds xfs" }],
    inventory: { orphans: [{ number: 7, mappedBytes: bytes(2 ** 45), transactionId: 9 }], discrepancies: [{ id: "vol-a", number: 3, reason: "missing" }] },
    stuck: { operation: "createVolume", since: new Date(1_767_225_600_000) },
  },
  big: { ...blank, status: { kind: "refused", reason: "its superblock is blank", remedy: "restore it" } },
};
const poolOf = (description: PoolDescription): Pool => ({ description, view: views[description.name] ?? { ...blank, status: { kind: "recovering" } } }) as Pool;

test("what the driver knows of its pools arrives at the command, over a real socket: sizes in bytes, what is absent as absent", async () => {
  const socket = join(directory, "admin.sock");
  const server = createAdminServer({
    pools: () => pools.map(poolOf),
    upkeep: new FakeUpkeep(),
    trims: fakeTrims,
    version: "1.2.3",
    node: "node1",
    logger: silentLogger,
  });
  await server.listen(socket);
  try {
    const shared = {
      overcommitRatio: 10,
      filesystem: "ext4",
      chunkBytes: 65_536,
      zeroNewBlocks: true,
      provisionedBytes: 0,
      volumes: 0,
      snapshots: 0,
      groups: 0,
      defaultVolumeBytes: 10 * GiB,
      whenFull: "auto",
      autoextendPercent: 20,
      trimIntervalMs: 7 * 86_400_000,
    };
    const toldPart = { headroom: MiB, thresholdPercent: 80, exhausted: false, failure: "", lastExtension: undefined };
    const expected: DriverInfo = {
      driverVersion: "1.2.3",
      node: "node1",
      pools: [
        {
          ...shared,
          name: "fast",
          isDefault: true,
          status: "READY",
          refusal: "",
          remedy: "",
          discardOnDelete: true,
          backing: { loop: { directory: "/var/lib/fast", dataBytes: 100 * GiB, metadataBytes: 219 * MiB } },
          figures: {
            state: "rw",
            transactionId: 57,
            data: { used: GiB, total: 100 * GiB, available: 99 * GiB, minimumFree: 10 * GiB },
            metadata: { used: MiB, total: 219 * MiB, available: 218 * MiB, minimumFree: Math.ceil(21.9 * MiB) },
            discardPassdown: false,
            discardHindrance: "/dev/loop0 takes no discards",
            queuesWhenFull: true,
            host: { free: 5 * GiB, reserve: GiB },
          },
          inventory: { orphans: [{ number: 7, mappedBytes: 2 ** 45, transactionId: 9 }], discrepancies: [{ id: "vol-a", number: 3, reason: "missing" }] },
          stuck: { operation: "createVolume", since: 1_767_225_600_000 },
          setup: {
            name: "dmthin-fast-pool",
            path: "/dev/dm-3",
            data: { path: "/dev/loop0", file: "/x/data.img" },
            metadata: { path: "/dev/loop1", file: "" },
            deviceMapperVersion: "4.50.0",
            thinPoolVersion: "1.23.0",
            thinVersion: "",
          },
          care: {
            data: { ...toldPart, lastExtension: { at: 5, from: MiB, to: GiB } },
            metadata: { ...toldPart, thresholdPercent: 0, exhausted: true, failure: "no" },
            events: [{ at: 7, kind: "low", message: "little is left" }],
          },
          deferredDeletions: 1,
          memberDisks: ["/dev/sdb"],
          excludedDisks: [{ path: "/dev/sdc", reason: "it holds xfs" }],
        },
        {
          ...shared,
          name: "big",
          isDefault: false,
          status: "REFUSED",
          refusal: "its superblock is blank",
          remedy: "restore it",
          discardOnDelete: false,
          backing: { devices: { data: "/dev/a", metadata: "/dev/b" } },
          figures: undefined,
          inventory: undefined,
          stuck: undefined,
          setup: undefined,
          care: undefined,
          deferredDeletions: 0,
          memberDisks: [],
          excludedDisks: [],
        },
      ],
    };
    expect(await askDriver(socket, 5000)).toEqual(expected);
  } finally {
    await server.close(AbortSignal.abort());
  }
});
