import { wipeSignatures } from "../../filesystem/signatures.ts";
import { lvmOn, ownDisks, seeDisks } from "./direct-lvm-disks.ts";
import { readMark, removeMark, writeMark } from "./direct-lvm-mark.ts";
import { notReady, type DirectLvmParts } from "./direct-lvm-parts.ts";
import { blankEnds } from "./block-device.ts";

/**
 * Gives the disks back blank: volumes, group and labels go, in that order, and the mark last. Of each disk the label is the
 * last to go, since its uuid alone tells, once there is no group, that the disk is ours to blank. Nothing of the pool may be
 * active above its own device. Interrupted, it goes on when it is called again, and a start refuses the pool meanwhile.
 */
export async function wipeGroup(parts: DirectLvmParts): Promise<void> {
  const { stateDirectory, run, logger } = parts;
  const mark = await readMark(stateDirectory);
  if (mark === undefined) return;
  await writeMark(stateDirectory, { ...mark, phase: "wiping" });
  const seen = await seeDisks(parts, mark.added);
  const { group, disks } = ownDisks(seen, mark);
  if (group !== undefined && group.missingPhysicalVolumes > 0)
    throw notReady(parts, `disks of volume group ${group.name} are not there: ${seen.missing.join(", ")}`);
  const lvm = lvmOn(parts, disks);
  if (group !== undefined) {
    const volumes = (await lvm.logicalVolumes(group.name)).filter(({ hidden }) => !hidden);
    for (const { name } of volumes) await lvm.deactivate(`${group.name}/${name}`);
    for (const { name } of volumes) await lvm.removeVolume(`${group.name}/${name}`);
    await lvm.removeVolumeGroup(group.name);
  }
  for (const disk of disks) {
    await wipeSignatures(run, disk.path, "LVM2_member");
    blankEnds(disk);
    logger.info("a disk was given back, blank at both ends", { disk: disk.name });
  }
  await removeMark(stateDirectory);
}
