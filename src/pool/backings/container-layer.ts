import { stat, statfs } from "node:fs/promises";

/** Source: linux/magic.h, OVERLAYFS_SUPER_MAGIC. */
const OVERLAYFS = 0x794c7630;
const ROOT = "/";

interface Looks {
  /** The type of the filesystem that has the path. */
  readonly type: (path: string) => Promise<number>;
  /** The device number of it. */
  readonly device: (path: string) => Promise<number>;
}

const REAL: Looks = {
  type: async (path) => (await statfs(path)).type,
  device: async (path) => (await stat(path)).dev,
};

/** Whether a directory is in the layer that a container writes to, which is gone when the container is. */
export async function isInContainerLayer(directory: string, { type, device }: Looks = REAL): Promise<boolean> {
  return (await type(directory)) === OVERLAYFS && (await device(directory)) === (await device(ROOT));
}
