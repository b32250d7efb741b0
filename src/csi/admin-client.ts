import { Connection } from "./client.ts";
import type { InfoResponse, Pool, Pool_Care, Pool_Figures, Pool_PartCare, Pool_Setup_Device, Pool_Space, Volume } from "./generated/admin.ts";

/** What `dmthin info` shows; sizes in bytes. */
export async function askDriver(socket: string, deadlineMs: number) {
  using connection = new Connection(socket);
  return toDriverInfo(await connection.service("dmthin.admin.v1.Admin").Info({}, { deadlineMs }));
}

/** What `dmthin volume` shows. Rejects with gRPC's own error. */
export async function askVolumes(socket: string, request: { readonly pool: string; readonly measureMs: number }, deadlineMs: number) {
  using connection = new Connection(socket);
  const { volumes, notMeasured } = await connection.service("dmthin.admin.v1.Admin").Volumes(request, { deadlineMs });
  return { volumes: volumes.map(toVolumeInfo), notMeasured };
}

const toDriverInfo = ({ driverVersion, node, pools }: InfoResponse) => ({ driverVersion, node, pools: pools.map(toPoolInfo) });

/** 64-bit numbers come as text; all of these are far below 2^53. What is absent is left out. */
function toPoolInfo(pool: Pool) {
  const { backing, figures, inventory, stuck, setup, care } = pool;
  return {
    ...pool,
    backing: toBacking(backing),
    chunkBytes: Number(pool.chunkBytes),
    provisionedBytes: Number(pool.provisionedBytes),
    defaultVolumeBytes: Number(pool.defaultVolumeBytes),
    trimIntervalMs: Number(pool.trimIntervalMs),
    figures: figures === null ? undefined : toFigures(figures),
    inventory: inventory === null ? undefined : { ...inventory, orphans: inventory.orphans.map(toOrphan) },
    stuck: stuck === null ? undefined : { operation: stuck.operation, since: Number(stuck.since) },
    setup: setup === null ? undefined : { ...setup, data: toDevice(setup.data), metadata: toDevice(setup.metadata) },
    care: care === null ? undefined : toCare(care),
  };
}

function toBacking(backing: Pool["backing"]) {
  if (backing?.loop) {
    const { directory, dataBytes, metadataBytes } = backing.loop;
    return { loop: { directory, dataBytes: Number(dataBytes), metadataBytes: Number(metadataBytes) } };
  }
  if (backing?.directLvm) return { directLvm: backing.directLvm };
  if (backing?.existing) return { existing: backing.existing };
  return backing?.devices ? { devices: backing.devices } : undefined;
}

const toFigures = (figures: Pool_Figures) => ({
  ...figures,
  transactionId: Number(figures.transactionId),
  data: toSpace(figures.data),
  metadata: toSpace(figures.metadata),
  host: figures.host === null ? undefined : { free: Number(figures.host.free), reserve: Number(figures.host.reserve) },
});

const toSpace = (space: Pool_Space | null) => ({
  used: Number(space?.used ?? 0),
  total: Number(space?.total ?? 0),
  available: Number(space?.total ?? 0) - Number(space?.used ?? 0),
  minimumFree: Number(space?.minimumFree ?? 0),
});

const toOrphan = ({ number, mappedBytes, transactionId }: NonNullable<Pool["inventory"]>["orphans"][number]) => ({
  number,
  mappedBytes: Number(mappedBytes),
  transactionId: Number(transactionId),
});

const toDevice = (device: Pool_Setup_Device | null) => ({ path: device?.path ?? "", file: device?.file ?? "" });

const toCare = ({ data, metadata, events }: Pool_Care) => ({
  data: toPartCare(data),
  metadata: toPartCare(metadata),
  events: events.map(({ at, kind, message }) => ({ at: Number(at), kind, message })),
});

const toPartCare = (part: Pool_PartCare | null) => ({
  headroom: Number(part?.headroom ?? 0),
  thresholdPercent: part?.thresholdPercent ?? 0,
  exhausted: part?.exhausted ?? false,
  failure: part?.failure ?? "",
  lastExtension:
    part === null || part.extendedAt === "0" ? undefined : { at: Number(part.extendedAt), from: Number(part.extendedFrom), to: Number(part.extendedTo) },
});

function toVolumeInfo({ space, ...volume }: Volume) {
  return {
    ...volume,
    virtualBytes: Number(volume.virtualBytes),
    createdAt: Number(volume.createdAt),
    mappedBytes: space === null ? undefined : Number(space.mappedBytes),
    exclusiveBytes: space?.exclusiveKnown === true ? Number(space.exclusiveBytes) : undefined,
  };
}
