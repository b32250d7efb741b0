import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * What sysfs tells of a device-mapper device: answered by the kernel from memory, so never held up. undefined when the
 * number is nobody's, or not device-mapper's. Source: Documentation/ABI/testing/sysfs-block-dm.
 */
export async function deviceIdentity(
  sysRoot: string,
  major: number,
  minor: number,
): Promise<{ readonly uuid: string; readonly suspended: boolean } | undefined> {
  const attribute = async (name: string): Promise<string | undefined> => readAttribute(join(sysRoot, "dev/block", `${major}:${minor}`, "dm", name));
  const [uuid, suspended] = await Promise.all([attribute("uuid"), attribute("suspended")]);
  return uuid === undefined || suspended === undefined ? undefined : { uuid, suspended: suspended === "1" };
}

async function readAttribute(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODEV and EIO: it went away while it was read.
    if (code === "ENOENT" || code === "ENODEV" || code === "EIO") return undefined;
    throw error;
  }
}
