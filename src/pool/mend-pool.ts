import type { DeviceMapper } from "../devicemapper/device-mapper.ts";
import { parsePoolStatus } from "../devicemapper/thin-status.ts";
import { parsePoolTarget, poolTarget } from "../devicemapper/thin-table.ts";
import { bytesToSectors, chunksToBytes } from "../units.ts";

/**
 * For a suspended pool whose table the kernel refuses at resume: it died between that and its old table's return. The
 * table is loaded anew with the length that the metadata says. Answers whether the device runs again.
 */
export function mendPool(dm: DeviceMapper, uuid: string): boolean {
  const [target] = dm.table(uuid);
  const table = target === undefined ? undefined : parsePoolTarget(target);
  if (table === undefined) return false;
  const status = parsePoolStatus(dm.status(uuid, { noFlush: true })[0]?.status ?? "");
  if (!("data" in status)) return false;
  const length = bytesToSectors(chunksToBytes(status.data.total, table.chunkSize));
  if (length === target?.length) return false;
  dm.load(uuid, [poolTarget(table, length)]);
  dm.resume(uuid);
  return true;
}
