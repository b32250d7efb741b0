import { setTimeout as sleep } from "node:timers/promises";
import type { Backing, PoolDescription } from "../config/pool-description.ts";
import type { CareReport, PartReport } from "../pool/care/care-report.ts";
import type { PoolFigures, PoolStatus } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { discardHindrance, type DeviceBelow, type PoolSetup } from "../pool/setup.ts";
import { BYTES_PER_METADATA_BLOCK } from "../units.ts";
import type {
  Pool as PoolInfo,
  Pool_Backing,
  Pool_Care,
  Pool_Figures,
  Pool_Inventory,
  Pool_PartCare,
  Pool_Setup,
  Pool_Setup_Device,
  Pool_Space,
  Pool_Status,
} from "./generated/admin.ts";

/** The kernel answers in a millisecond: what takes longer hangs, and is told as it was last seen. */
const FRESH_MS = 500;

/** Has the figures of all pools read anew, as far as they answer at once. Never rejects. */
export async function refreshed(pools: readonly Pool[]): Promise<readonly Pool[]> {
  const asked = pools.filter(({ view }) => view.status.kind === "ready" && view.stuck === undefined).map(async ({ calls }) => calls.refresh());
  const enough = new AbortController();
  await Promise.race([Promise.allSettled(asked), sleep(FRESH_MS, undefined, { signal: enough.signal })]).finally(() => enough.abort());
  return pools;
}

/** What an operator is shown of a pool. */
export function toPoolInfo({ description, view }: Pool): PoolInfo {
  const { status, figures, inventory, stuck, setup, care } = view;
  const thins = [...view.thins.values()].filter(({ state }) => state === "ready");
  const volumes = thins.filter(({ kind }) => kind === "volume");
  return {
    name: description.name,
    isDefault: description.isDefault,
    status: STATUS[status.kind],
    refusal: "reason" in status ? (status.reason ?? "") : "",
    remedy: status.kind === "refused" ? status.remedy : "",
    backing: toBacking(description.backing),
    chunkBytes: String(figures?.chunkSize ?? description.chunkSize),
    overcommitRatio: description.overcommitRatio,
    filesystem: description.filesystem,
    discardOnDelete: description.discardOnDelete,
    zeroNewBlocks: description.zeroNewBlocks,
    figures: figures === undefined ? null : toFigures(figures, setup, description),
    provisionedBytes: String(view.promisedBytes),
    volumes: volumes.length,
    snapshots: thins.length - volumes.length,
    groups: view.groups.size,
    inventory: inventory === undefined ? null : toInventory(inventory),
    stuck: stuck === undefined ? null : { operation: stuck.operation, since: String(stuck.since.getTime()) },
    setup: setup === undefined ? null : toSetup(setup),
    care: care === undefined ? null : toCare(care),
    defaultVolumeBytes: String(description.defaultVolumeSize),
    whenFull: description.whenFull,
    autoextendPercent: description.autoextend.percent,
    deferredDeletions: view.deferredDeletions?.size ?? 0,
    trimIntervalMs: String(description.trim?.intervalMs ?? 0),
    memberDisks: [...(view.memberDisks ?? [])],
    excludedDisks: (view.excludedDisks ?? []).map(({ path, reason }) => ({ path, reason })),
  };
}

const STATUS: Readonly<Record<PoolStatus["kind"], Pool_Status>> = { recovering: "RECOVERING", locked: "LOCKED", ready: "READY", refused: "REFUSED" };

function toBacking(backing: Backing): Pool_Backing {
  switch (backing.kind) {
    case "loop":
      return { loop: { directory: backing.directory, dataBytes: String(backing.dataSize), metadataBytes: String(backing.metadataSize) } };
    case "devices":
      return { devices: { data: backing.data, metadata: backing.metadata } };
    case "directLvm":
      return { directLvm: { volumeGroup: backing.volumeGroup, devices: [...backing.devices], metadataDevices: [...backing.metadataDevices] } };
    case "existing":
      return { existing: { pool: backing.pool } };
  }
}

function toFigures(figures: PoolFigures, setup: PoolSetup | undefined, { minimumFree }: PoolDescription): Pool_Figures {
  const { state, transactionId, chunkSize, data, metadata, discardPassdown, queuesWhenFull, host } = figures;
  return {
    state,
    transactionId: String(transactionId),
    data: toSpace(data, chunkSize, minimumFree.dataPercent),
    metadata: toSpace(metadata, BYTES_PER_METADATA_BLOCK, minimumFree.metadataPercent),
    discardPassdown,
    discardHindrance: discardHindrance(figures, setup) ?? "",
    queuesWhenFull,
    host: host === undefined ? null : { free: String(host.freeBytes), reserve: String(host.reserveBytes) },
  };
}

function toSpace({ used, total }: { readonly used: number; readonly total: number }, blockBytes: number, minimumFreePercent: number): Pool_Space {
  return {
    used: String(used * blockBytes),
    total: String(total * blockBytes),
    minimumFree: String(Math.ceil((total * blockBytes * minimumFreePercent) / 100)),
  };
}

const toInventory = ({ orphans, discrepancies }: NonNullable<Pool["view"]["inventory"]>): Pool_Inventory => ({
  orphans: orphans.map(({ number, mappedBytes, transactionId }) => ({ number, mappedBytes: String(mappedBytes), transactionId: String(transactionId) })),
  discrepancies: discrepancies.map(({ id, number, reason }) => ({ id, number, reason })),
});

const toSetup = ({ name, path, data, metadata, versions }: PoolSetup): Pool_Setup => ({
  name,
  path,
  data: toDevice(data),
  metadata: toDevice(metadata),
  deviceMapperVersion: versions.deviceMapper,
  thinPoolVersion: versions.thinPool ?? "",
  thinVersion: versions.thin ?? "",
});

const toDevice = ({ path, file = "" }: DeviceBelow): Pool_Setup_Device => ({ path, file });

const toCare = ({ data, metadata, events }: CareReport): Pool_Care => ({
  data: toPartCare(data),
  metadata: toPartCare(metadata),
  events: events.map(({ at, kind, message }) => ({ at: String(at.getTime()), kind, message })),
});

const toPartCare = ({ headroomBytes, thresholdPercent, exhausted, failure, lastExtension }: PartReport): Pool_PartCare => ({
  headroom: String(headroomBytes),
  thresholdPercent: thresholdPercent ?? 0,
  exhausted,
  failure: failure ?? "",
  extendedAt: String(lastExtension?.at.getTime() ?? 0),
  extendedFrom: String(lastExtension?.fromBytes ?? 0),
  extendedTo: String(lastExtension?.toBytes ?? 0),
});
