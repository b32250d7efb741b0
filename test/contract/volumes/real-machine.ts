import { closeSync, constants, fsyncSync, openSync, writeSync } from "node:fs";
import type { DeviceMapper } from "../../../src/devicemapper/device-mapper.ts";
import { run } from "../../../src/exec/run.ts";
import { mounts } from "../../../src/filesystem/mounts.ts";
import { MiB } from "../../../src/units.ts";
import { describeDisk } from "../kernel/real.ts";
import { line, number, until } from "../kernel/pools.ts";

/** Both ends, as a pool looks there for what somebody may have left. */
export function blankDisks(paths: readonly string[]): void {
  for (const path of paths) {
    const { sizeBytes } = describeDisk(path);
    const fd = openSync(path, constants.O_RDWR);
    for (const offset of [0, sizeBytes - MiB]) writeSync(fd, Buffer.alloc(MiB), 0, MiB, offset);
    fsyncSync(fd);
    closeSync(fd);
  }
}

/** A device over the beginning of a disk; without a size the disk itself. */
export function partOf(dm: DeviceMapper, disk: string, name: string, sizeBytes: number | undefined): string {
  if (sizeBytes === undefined) return disk;
  const uuid = `CONTRACT-${name}`;
  dm.create(`contract-${name}`, uuid);
  lengthenPart(dm, disk, name, sizeBytes);
  return `/dev/dm-${dm.info(uuid)?.minor}`;
}

export function lengthenPart(dm: DeviceMapper, disk: string, name: string, sizeBytes: number): void {
  const uuid = `CONTRACT-${name}`;
  dm.load(uuid, [line(sizeBytes / 512, "linear", `${number(describeDisk(disk))} 0`)]);
  dm.resume(uuid);
}

/** Everything that is mounted below a folder, the last mount first. */
export async function removeMounts(folder: string): Promise<void> {
  const ours = (await mounts()).filter(({ target }) => target.startsWith(`${folder}/`));
  for (const { target } of ours.toReversed()) await run(["umount", "--lazy", target]);
}

/** All of the driver's devices and these tests' own. What is suspended is resumed first; what is still let go of is waited for. */
export async function removePoolDevices(dm: DeviceMapper): Promise<void> {
  let left = dm.list().filter(({ name }) => name.startsWith("dmthin-") || name.startsWith("contract-"));
  for (const { uuid } of left) if (dm.info(uuid)?.suspended === true) dm.resume(uuid);
  await until(() => {
    left = left.filter(({ uuid }) => !isGone(dm, uuid));
    return left.length === 0;
  });
}

function isGone(dm: DeviceMapper, uuid: string): boolean {
  try {
    dm.remove(uuid);
    return true;
  } catch {
    return dm.info(uuid) === undefined;
  }
}
