import type { DeviceMapper, Target } from "../../../src/devicemapper/device-mapper.ts";
import type { ThinListing, ThinTools } from "../../../src/devicemapper/thin-tools.ts";
import { isErrno } from "../../../src/errors.ts";
import { sectors } from "../../../src/units.ts";
import { POOL } from "./description.ts";
import { until } from "../kernel/pools.ts";
import type { World } from "./world.ts";

/** The uuid of the pool's device, as an administrator finds it: by its name. */
export function poolUuidOf(dm: DeviceMapper): string {
  const pool = dm.list().find(({ name }) => name === `dmthin-${POOL}-pool` || name === `dmthin--${POOL}-pool`);
  if (pool === undefined) throw new Error("the pool's device is not active");
  return pool.uuid;
}

/** thin_ls beside a metadata snapshot; another's snapshot is waited for. */
export async function thinsBeside(dm: DeviceMapper, tools: ThinTools, metadataPath: string): Promise<readonly ThinListing[]> {
  const uuid = poolUuidOf(dm);
  await until(() => reserved(dm, uuid));
  try {
    return await tools.list(metadataPath, { live: true, exclusive: true });
  } finally {
    dm.message(uuid, "release_metadata_snap");
  }
}

function reserved(dm: DeviceMapper, uuid: string): boolean {
  try {
    dm.message(uuid, "reserve_metadata_snap");
    return true;
  } catch (error) {
    if (isErrno(error, "EBUSY")) return false;
    throw error;
  }
}

/** Activates a thin number beside the driver, as an administrator would; answers its path. Removed by `removeStranger`. */
export function activateStranger(world: World, thinNumber: number, sizeBytes: number): string {
  const pool = world.dm.info(world.poolUuid);
  if (pool === undefined) throw new Error("the pool's device is not active");
  return addStranger(world, { start: sectors(0), length: sectors(sizeBytes / 512), type: "thin", parameters: `${pool.major}:${pool.minor} ${thinNumber}` });
}

/** A device of somebody else's; answers its path. */
export function addStranger({ dm }: World, target: Target): string {
  dm.create("contract-stranger", "STRANGER");
  dm.load("STRANGER", [target]);
  dm.resume("STRANGER");
  return `/dev/dm-${dm.info("STRANGER")?.minor}`;
}

export function removeStranger({ dm }: World): void {
  dm.remove("STRANGER");
}
