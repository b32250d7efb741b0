import { DmthinError } from "../errors.ts";
import type { Filesystems, Mount } from "../filesystem/filesystems.ts";
import type { ActiveDevice } from "../pool/pool-calls.ts";

/** What is mounted on exactly one path, the last mount on top. */
export interface MountPoint {
  /** The volume's own mounts, in mount order. */
  readonly ours: readonly Mount[];
  readonly strangers: number;
  readonly top: "ours" | "stranger" | "nothing";
}

export type IsOurs = (mount: Mount) => Promise<boolean>;

/** A mount of the volume's filesystem, by the uuid of the device below it: a minor alone may have gone to another device. */
export const ofFilesystem =
  (filesystems: Filesystems, id: string): IsOurs =>
  async ({ major, minor }) => {
    const identity = await filesystems.deviceIdentity(major, minor);
    return identity !== undefined && identity.uuid.startsWith("DMTHIN-") && identity.uuid.endsWith(`-${id}`);
  };

/** A bound device node: it is seen as a file of /dev's own filesystem. */
export const isDeviceNode = ({ root }: Mount): boolean => /^\/dm-\d+(\/\/deleted)?$/.test(root);
export const ofNode =
  (minor: number): IsOurs =>
  async ({ root }) =>
    root === `/dm-${minor}`;

export async function mountsAt(filesystems: Filesystems, path: string, isOurs: IsOurs): Promise<MountPoint> {
  const here = (await filesystems.mounts()).filter(({ target }) => target === path);
  const owned = await Promise.all(here.map(isOurs));
  const ours = here.filter((_, index) => owned[index]);
  return { ours, strangers: here.length - ours.length, top: here.length === 0 ? "nothing" : owned.at(-1) === true ? "ours" : "stranger" };
}

/** Takes every mount of the volume off a path, also those that stack. Throws "path-unusable" for a stranger's. */
export async function takeDown(filesystems: Filesystems, path: string, isOurs: IsOurs): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; ;) {
    const { ours, strangers } = await mountsAt(filesystems, path, isOurs);
    if (strangers > 0) throw strangersMount(path);
    if (ours.length === 0) return;
    if (ours.length >= before) throw new DmthinError({ code: "path-unusable", path, reason: "an unmount of it has had no effect" });
    before = ours.length;
    await filesystems.unmount(path);
  }
}

export const strangersMount = (path: string): DmthinError =>
  new DmthinError({ code: "path-unusable", path, reason: "something else than this volume is mounted there" });

/** Asked just before every mkfs, mount and bind. Opening a suspended device would hang. Throws "path-unusable" or "in-progress". */
export async function requireIdentity(filesystems: Filesystems, id: string, device: ActiveDevice): Promise<void> {
  const identity = await filesystems.deviceIdentity(device.major, device.minor);
  if (identity?.uuid !== device.uuid) {
    const reason = `it is ${identity === undefined ? "gone" : `now device ${identity.uuid}`}, and was volume ${id}`;
    throw new DmthinError({ code: "path-unusable", path: device.path, reason });
  }
  if (identity.suspended) throw new DmthinError({ code: "in-progress", kind: "volume", id, operation: "suspension" });
}
