import type { DeviceMapper, DeviceInfo } from "../devicemapper/device-mapper.ts";
import { DmthinError } from "../errors.ts";
import { isDeviceOfPool, isPoolDevice } from "../pool/names.ts";

/** Throws "pool-unchanged" while a volume of the pool is open: mounted, or used as a block device. */
export function requireIdle(dm: DeviceMapper, pool: string): void {
  const devices = devicesOf(dm, pool);
  const volumes = devices.filter((device) => !isPoolDevice(device));
  const open = volumes.filter(({ openCount }) => openCount > 0);
  if (open.length > 0) {
    throw new DmthinError({
      code: "pool-unchanged",
      pool,
      reason: `${open.length} of its volumes ${open.length === 1 ? "is" : "are"} in use: ${open.map(({ name, minor }) => `${name} (/dev/dm-${minor})`).join(", ")}`,
      remedy: "end what uses them and unmount them, then say it again",
    });
  }
  const strangers = devices.filter((device) => isPoolDevice(device) && device.openCount > volumes.length);
  if (strangers.length === 0) return;
  throw new DmthinError({
    code: "pool-unchanged",
    pool,
    reason: `something else than its volumes has ${strangers[0]?.name} open`,
    remedy: `look at dmsetup ls --tree, and remove what lies on it`,
  });
}

/** Removes the pool's devices that nobody has open: volumes first. */
export function deactivateIdle(dm: DeviceMapper, pool: string): void {
  requireIdle(dm, pool);
  for (const { uuid } of devicesOf(dm, pool).toSorted((left, right) => Number(isPoolDevice(left)) - Number(isPoolDevice(right)))) dm.remove(uuid);
}

const devicesOf = (dm: DeviceMapper, pool: string): readonly DeviceInfo[] =>
  dm
    .list()
    .filter((device) => isDeviceOfPool(device, pool))
    .flatMap(({ uuid }) => dm.info(uuid) ?? []);
