import type { DeviceMapper, DeviceNumber } from "../devicemapper/device-mapper.ts";
import { parsePoolTarget } from "../devicemapper/thin-table.ts";
import { isErrno } from "../errors.ts";
import type { BackingDevices } from "./backings/backing.ts";

/**
 * The name of an active thin pool other than `ownUuid` that lies on one of these devices: the kernel lets two pools share
 * them, and they destroy each other. undefined: there is none.
 */
export function otherPoolOn(dm: DeviceMapper, { data, metadata }: BackingDevices, ownUuid: string): string | undefined {
  const isTaken = (device: DeviceNumber): boolean => [data, metadata].some(({ major, minor }) => major === device.major && minor === device.minor);
  for (const { name, uuid } of dm.list()) {
    if (uuid === ownUuid || uuid === "") continue;
    const table = poolTableOf(dm, uuid);
    if (table !== undefined && (isTaken(table.data) || isTaken(table.metadata))) return name;
  }
  return undefined;
}

/** A device may go while the list is read. */
function poolTableOf(dm: DeviceMapper, uuid: string): ReturnType<typeof parsePoolTarget> {
  try {
    const [target] = dm.table(uuid);
    return target === undefined ? undefined : parsePoolTarget(target);
  } catch (error) {
    if (isErrno(error, "ENXIO")) return undefined;
    throw error;
  }
}
