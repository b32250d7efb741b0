import { rmSync } from "node:fs";
import type { DeviceMapper } from "../../../src/devicemapper/device-mapper.ts";
import { parsePoolTarget } from "../../../src/devicemapper/thin-table.ts";
import { POOL } from "./description.ts";
import { poolUuidOf } from "./pool-in-kernel.ts";

/** What LVM has beside and below a pool, which the pools of other tests do not have. */
export const isBelowLvmPool = (name: string): boolean => new RegExp(`^dmthin--${POOL}-(catalog|pool_t(data|meta))$`).test(name);

export function lvmMetadataPath(dm: DeviceMapper): string {
  const [target] = dm.table(poolUuidOf(dm));
  const table = target === undefined ? undefined : parsePoolTarget(target);
  return `/dev/dm-${table?.metadata.minor}`;
}

/** Where on its disk the pool's metadata begins. */
export function lvmMetadataOffset(dm: DeviceMapper): number {
  const metadata = dm.list().find(({ name }) => name === `dmthin--${POOL}-pool_tmeta`);
  const [target] = dm.table(metadata?.uuid ?? "");
  return Number(target?.parameters.split(" ")[1]) * 512;
}

/** Those of a volume group whose devices went without LVM. */
export function removeLvmLinks(): void {
  rmSync(`/dev/dmthin-${POOL}`, { recursive: true, force: true });
}
