import type { Target } from "../devicemapper/device-mapper.ts";

/**
 * Names and uuids of our kernel devices. Lengths: a pool's name has at most 40 characters, an id 31, so a name has at most
 * 79 and a uuid 75; the kernel takes 127 of each. Source: include/uapi/linux/dm-ioctl.h, DM_NAME_LEN and DM_UUID_LEN (128 and 129, with their NUL).
 */
const OURS = "DMTHIN-";
const ID = /^(pool|(vol|snap)-[a-z2-7]{26})$/;

export const POOL_ID = "pool";

export const deviceName = (pool: string, id: string): string => `dmthin-${pool}-${id}`;
export const deviceUuid = (poolUuid: string, id: string): string => `${OURS}${poolUuid}-${id}`;

/** Whether it is a device of this program, of any pool. */
export const isOurs = ({ uuid }: { readonly uuid: string }): boolean => uuid.startsWith(OURS);

/** Whether the device is of the pool with this name: ours by its uuid, and its name the pool's followed by an id. */
export function isDeviceOfPool(device: { readonly name: string; readonly uuid: string }, pool: string): boolean {
  const prefix = deviceName(pool, "");
  return isOurs(device) && device.name.startsWith(prefix) && ID.test(device.name.slice(prefix.length));
}

/** The pool's own device comes before the thin devices on it. */
export const isPoolDevice = (device: { readonly uuid: string }): boolean => device.uuid.endsWith(`-${POOL_ID}`);

export const sameTable = (left: readonly Target[], right: readonly Target[]): boolean => JSON.stringify(left) === JSON.stringify(right);
