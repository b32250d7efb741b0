import { Connection } from "./client.ts";
import type { InfoResponse, Pool, Pool_Space } from "./generated/admin.ts";

/** What `dmthin info` shows; sizes in bytes. */
export async function askDriver(socket: string, deadlineMs: number) {
  using connection = new Connection(socket);
  return toDriverInfo(await connection.service("dmthin.admin.v1.Admin").Info({}, { deadlineMs }));
}

const toDriverInfo = ({ driverVersion, node, pools }: InfoResponse) => ({ driverVersion, node, pools: pools.map(toPoolInfo) });

/** 64-bit numbers come as text; all of these are far below 2^53. */
function toPoolInfo(pool: Pool) {
  const { backing, figures, inventory, stuck } = pool;
  return {
    ...pool,
    backing: toBacking(backing),
    chunkBytes: Number(pool.chunkBytes),
    provisionedBytes: Number(pool.provisionedBytes),
    figures:
      figures === null
        ? undefined
        : { ...figures, transactionId: Number(figures.transactionId), data: toSpace(figures.data), metadata: toSpace(figures.metadata) },
    inventory: inventory === null ? undefined : { ...inventory, orphans: inventory.orphans.map(toOrphan) },
    stuck: stuck === null ? undefined : { operation: stuck.operation, since: Number(stuck.since) },
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

const toSpace = (space: Pool_Space | null) => ({
  used: Number(space?.used ?? 0),
  total: Number(space?.total ?? 0),
  minimumFree: Number(space?.minimumFree ?? 0),
});

const toOrphan = ({ number, mappedBytes, transactionId }: NonNullable<Pool["inventory"]>["orphans"][number]) => ({
  number,
  mappedBytes: Number(mappedBytes),
  transactionId: Number(transactionId),
});
