import { CARE_EVENTS, type CareEventKind, type CareReport } from "../../../src/pool/care/care-report.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { MetricsParts } from "../../../src/metrics/metrics.ts";
import { bytes, chunks, GiB, KiB, metadataBlocks, MiB } from "../../../src/units.ts";
import { parse } from "../config/document.ts";
import { volumeRecord } from "../records.ts";

const { pools: descriptions } = parse({
  pools: [
    { name: "fast", default: true, backing: { loop: { directory: "/var/lib/fast", dataSize: "100Gi" } } },
    { name: "big", backing: { devices: { data: "/dev/a", metadata: "/dev/b" } } },
  ],
});

const part = { sizeBytes: GiB, headroomBytes: MiB, thresholdPercent: 80, exhausted: false, lastExtension: undefined, failure: undefined };
export const care: CareReport = {
  data: { ...part, lastExtension: { at: new Date(5000), part: "data", fromBytes: MiB, toBytes: GiB, by: "care" } },
  metadata: { ...part, exhausted: true, failure: "no" },
  counts: Object.fromEntries(CARE_EVENTS.map((kind, index) => [kind, index])) as Record<CareEventKind, number>,
  events: [],
  nextLookMs: 1000,
};

const volume = volumeRecord("vol-a", {
  name: 'odd "name"\nwith all that labels must escape \\',
  filesystem: { type: "ext4", state: "formatted" },
});

const ready: PoolView = {
  status: { kind: "ready" },
  figures: {
    state: "rw",
    transactionId: 7,
    chunkSize: bytes(64 * KiB),
    data: { used: chunks(100), total: chunks(163_840) },
    metadata: { used: metadataBlocks(5), total: metadataBlocks(16_384) },
    discardPassdown: true,
    queuesWhenFull: true,
    host: { freeBytes: GiB, reserveBytes: MiB },
  },
  thins: new Map([
    ["vol-a", volume],
    ["vol-b", { ...volume, id: "vol-b", name: "gone", state: "deleting" }],
  ]),
  groups: new Map(),
  promisedBytes: GiB,
  care,
  spaces: new Map([["vol-a", { mappedBytes: MiB, exclusiveBytes: bytes(512 * KiB) }]]),
  exclusiveAt: new Date(9000),
  deferredDeletions: new Map([["vol-b", "held-open"]]),
  inventory: { orphans: [{ number: 9, mappedBytes: GiB, transactionId: 3 }], discrepancies: [] },
  stuck: undefined,
};
const refused: PoolView = {
  status: { kind: "refused", reason: "blank", remedy: "look" },
  figures: undefined,
  thins: new Map(),
  groups: new Map(),
  promisedBytes: 0,
  inventory: undefined,
  stuck: undefined,
};

/** One pool of which everything is known, and one of which nothing is. */
export const pools = descriptions.map((description): Pool => ({ description, view: description.name === "fast" ? ready : refused }) as Pool);

export const parts: MetricsParts = {
  pools,
  version: "1.2.3",
  node: "node1",
  logger: silentLogger,
  listen: { host: "127.0.0.1", port: 0 },
  perVolume: true,
  exclusiveIntervalMs: undefined,
  readiness: () => ({ ready: true, message: "all is well" }),
};
