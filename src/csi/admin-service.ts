import type { Backing, PoolDescription } from "../config/pool-description.ts";
import type { Logger } from "../logger.ts";
import type { PoolFigures, PoolStatus } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { BYTES_PER_METADATA_BLOCK } from "../units.ts";
import type { Pool as PoolInfo, Pool_Backing, Pool_Figures, Pool_Inventory, Pool_Space, Pool_Status } from "./generated/admin.ts";
import { implement, type Handlers } from "./handler.ts";
import { GrpcServer } from "./server.ts";

export interface AdminParts {
  readonly pools: () => readonly Pool[];
  readonly version: string;
  readonly node: string;
}

/** The operator's socket. */
export const createAdminServer = (parts: AdminParts & { readonly logger: Logger }): GrpcServer =>
  new GrpcServer((inFlight) => [implement("dmthin.admin.v1.Admin", admin(parts), { logger: parts.logger, inFlight })]);

const admin = ({ pools, version, node }: AdminParts): Handlers<"dmthin.admin.v1.Admin"> => ({
  Info: async () => ({ driverVersion: version, node, pools: pools().map(toPoolInfo) }),
});

function toPoolInfo({ description, view }: Pool): PoolInfo {
  const { status, figures, inventory, stuck } = view;
  const thins = [...view.thins.values()].filter(({ state }) => state === "ready");
  const volumes = thins.filter(({ kind }) => kind === "volume");
  return {
    name: description.name,
    isDefault: description.isDefault,
    status: STATUS[status.kind],
    refusal: "reason" in status ? (status.reason ?? "") : "",
    remedy: status.kind === "refused" ? status.remedy : "",
    backing: toBacking(description.backing),
    chunkBytes: String(description.chunkSize),
    overcommitRatio: description.overcommitRatio,
    filesystem: description.filesystem,
    discardOnDelete: description.discardOnDelete,
    zeroNewBlocks: description.zeroNewBlocks,
    figures: figures === undefined ? null : toFigures(figures, description),
    provisionedBytes: String(volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    volumes: volumes.length,
    snapshots: thins.length - volumes.length,
    groups: view.groups.size,
    inventory: inventory === undefined ? null : toInventory(inventory),
    stuck: stuck === undefined ? null : { operation: stuck.operation, since: String(stuck.since.getTime()) },
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

function toFigures(figures: PoolFigures, { minimumFree }: PoolDescription): Pool_Figures {
  const { state, transactionId, chunkSize, data, metadata, discardPassdown, queuesWhenFull } = figures;
  return {
    state,
    transactionId: String(transactionId),
    data: toSpace(data, chunkSize, minimumFree.dataPercent),
    metadata: toSpace(metadata, BYTES_PER_METADATA_BLOCK, minimumFree.metadataPercent),
    discardPassdown,
    queuesWhenFull,
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
