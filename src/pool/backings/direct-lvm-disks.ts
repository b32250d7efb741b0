import { stat } from "node:fs/promises";
import { deviceOf } from "../../filesystem/device-number.ts";
import { Lvm } from "../../lvm/lvm.ts";
import type { PhysicalVolume, VolumeGroup } from "../../lvm/reports.ts";
import type { DirectLvmParts } from "./direct-lvm-parts.ts";
import { isMarked, markOf, readMark, type Mark } from "./direct-lvm-mark.ts";
import { examineDisk, type Finding } from "./disk-examination.ts";
import { findDisks, type NamedDisk } from "./disk-patterns.ts";

/** A disk with what LVM says of it. */
export interface SeenDisk extends NamedDisk {
  readonly volume: PhysicalVolume | undefined;
  /** For catalogue and metadata alone. */
  readonly isForMetadata: boolean;
}

/** The disks that a description names, as they are now. */
export interface SeenDisks {
  readonly disks: readonly SeenDisk[];
  readonly missing: readonly string[];
  readonly groups: readonly VolumeGroup[];
}

export const lvmOn = ({ run, lvmLock }: DirectLvmParts, disks: readonly { readonly path: string }[]): Lvm =>
  new Lvm({ run, devices: disks.map(({ path }) => path), lock: lvmLock });

/** Looks at all of them at once: LVM is shown nothing else. */
export async function seeDisks(parts: DirectLvmParts, added: readonly string[]): Promise<SeenDisks> {
  const { devices, metadataDevices } = parts.backing;
  const forMetadata = await findDisks(metadataDevices);
  const forData = await findDisks([...devices, ...added]);
  const all = [
    ...forMetadata.disks.map((disk) => ({ ...disk, isForMetadata: true })),
    ...forData.disks.filter((disk) => !forMetadata.disks.some(isSameDisk(disk))).map((disk) => ({ ...disk, isForMetadata: false })),
  ];
  const missing = [...forMetadata.missing, ...forData.missing];
  if (all.length === 0) return { disks: [], missing, groups: [] };
  const { volumes: known, groups } = await lvmOn(parts, all).disks();
  const volumes = await Promise.all(known.map(numbered));
  const disks = all.map((disk) => ({ ...disk, volume: volumes.find(({ number }) => number === `${disk.major}:${disk.minor}`)?.volume }));
  return { disks, missing, groups };
}

/** Each disk of the pool's that is there, by its name, and what the kernel calls it. */
export async function disksOf(parts: DirectLvmParts): Promise<readonly string[]> {
  const mark = await readMark(parts.stateDirectory);
  if (mark === undefined) return [];
  return ownDisks(await seeDisks(parts, mark.added), mark).disks.map(({ name, path }) => (name === path ? path : `${name}, now ${path}`));
}

/** The pool's own of what was seen, and what a wipe takes: its volume group, where it is there, that group's disks, and those that bear its mark outside of any. */
export function ownDisks({ disks, groups }: SeenDisks, { mark }: Mark): { readonly group: VolumeGroup | undefined; readonly disks: readonly SeenDisk[] } {
  const group = groups.find(({ tags }) => markOf(tags) === mark);
  const isOwn = ({ volume }: SeenDisk): boolean =>
    volume !== undefined && (isMarked(volume.uuid, mark) || (group !== undefined && volume.groupUuid === group.uuid));
  return { group, disks: disks.filter(isOwn) };
}

export const isSameDisk = (disk: NamedDisk) => (other: NamedDisk) => disk.major === other.major && disk.minor === other.minor;

/** LVM has names of its own for some disks. */
async function numbered(volume: PhysicalVolume): Promise<{ readonly volume: PhysicalVolume; readonly number: string | undefined }> {
  const found = await stat(volume.device).catch(() => undefined);
  if (found === undefined) return { volume, number: undefined };
  const { major, minor } = deviceOf(found.rdev);
  return { volume, number: `${major}:${minor}` };
}

export interface Examined {
  readonly disk: SeenDisk;
  readonly finding: Finding;
}

export const examineDisks = async ({ run }: DirectLvmParts, disks: readonly SeenDisk[]): Promise<readonly Examined[]> =>
  Promise.all(disks.map(async (disk) => ({ disk, finding: await examineDisk(run, disk, disk.volume) })));

/** Why a disk is not taken; undefined: it is. `isOurs` tells the label of an interrupted start. */
export function whyNot(
  { finding }: Examined,
  { force, isOurs }: { readonly force: boolean; readonly isOurs: (volume: PhysicalVolume) => boolean },
): string | undefined {
  switch (finding.kind) {
    case "blank":
      return undefined;
    case "member":
      return `it is in volume group ${finding.group}`;
    case "taken":
      return finding.what;
    case "labelled":
      return force || isOurs(finding.volume) ? undefined : "it holds LVM's label, and is in no volume group";
    case "claimed":
      return isOurs(finding.volume) ? undefined : "it belongs to a volume group whose other disks are not named here";
    case "holds":
      return force ? undefined : finding.what;
  }
}
