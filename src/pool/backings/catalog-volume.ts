import { join } from "node:path";
import { makePrivateFilesystem, mountPrivately, unmountPrivate } from "../../filesystem/private-mount.ts";
import type { Lvm } from "../../lvm/lvm.ts";
import { kernelUuid } from "../../lvm/names.ts";
import type { LogicalVolume } from "../../lvm/reports.ts";
import { CATALOG, POOL, notReady, refused, type DirectLvmParts } from "./direct-lvm-parts.ts";
import { roomOf, step, type OwnGroup } from "./direct-lvm-group.ts";
import { layOut, type LvmLayout } from "./lvm-layout.ts";

/** On a volume from when it is made until its filesystem is whole: it may be made anew only then. */
const UNFORMATTED_TAG = "dmthin-unformatted";

const folderOf = ({ stateDirectory }: DirectLvmParts): string => join(stateDirectory, "catalog-volume");

export interface OpenCatalogVolume {
  readonly folder: string;
  /** What LVM says of the group; undefined: it was changed since. */
  readonly listed: readonly LogicalVolume[] | undefined;
}

/** The small volume with the pool's catalogue, beside what it describes: disks that outlive their node's system disk tell what is on them. Mounted when it returns. One that is lost is made anew only with `remake`. */
export async function openCatalogVolume(parts: DirectLvmParts, lvm: Lvm, own: OwnGroup, remake: boolean): Promise<OpenCatalogVolume> {
  const { observe, backing, run, logger } = parts;
  const listed = await lvm.logicalVolumes(own.group.name);
  const found = listed.find(({ name }) => name === CATALOG);
  const volume = found ?? (await make(parts, lvm, own, { listed, remake }));
  const name = `${backing.volumeGroup}/${CATALOG}`;
  if (!volume.active) await step(observe, "activate-catalog", () => lvm.activate(name));
  const info = parts.dm.info(kernelUuid(volume, ""));
  if (info === undefined) throw notReady(parts, `LVM has not activated ${name}`);
  const device = `/dev/dm-${info.minor}`;
  if (volume.tags.includes(UNFORMATTED_TAG)) {
    await step(observe, "mkfs", () => makePrivateFilesystem(run, device));
    await step(observe, "formatted", () => lvm.changeVolume(name, { remove: [UNFORMATTED_TAG] }));
  }
  const target = folderOf(parts);
  await step(observe, "mount", () => mountPrivately(run, logger, { major: info.major, minor: info.minor, device, target }));
  return { folder: target, listed: found?.active === true ? listed : undefined };
}

export const closeCatalogVolume = async (parts: DirectLvmParts): Promise<void> => unmountPrivate(parts.run, parts.logger, folderOf(parts));

/** Where there is a pool and no catalogue, it was lost. */
export async function isCatalogLost(lvm: Lvm, { group }: OwnGroup): Promise<boolean> {
  return isPoolAlone(await lvm.logicalVolumes(group.name));
}

const isPoolAlone = (listed: readonly LogicalVolume[]): boolean => listed.some(({ name }) => name === POOL) && !listed.some(({ name }) => name === CATALOG);

async function make(
  parts: DirectLvmParts,
  lvm: Lvm,
  own: OwnGroup,
  { listed, remake }: { readonly listed: readonly LogicalVolume[]; readonly remake: boolean },
): Promise<LogicalVolume> {
  if (!remake && isPoolAlone(listed)) {
    const remedy = `dmthin pool import ${parts.description.name} makes one anew: from a copy, or from the metadata alone`;
    throw refused(parts, `volume group ${own.group.name} has a pool and no catalogue`, remedy);
  }
  const { catalog } = layoutOf(parts, own);
  const on = disksFor(own, "metadata");
  await step(parts.observe, "lvcreate-catalog", () =>
    lvm.createVolume(own.group.name, { name: CATALOG, extents: catalog, on, tags: [UNFORMATTED_TAG], wipe: true }),
  );
  const made = (await lvm.logicalVolumes(own.group.name)).find(({ name }) => name === CATALOG);
  if (made === undefined) throw notReady(parts, `LVM has not made ${own.group.name}/${CATALOG}`);
  return made;
}

/** By LVM's own count of its disks: the same at each start, whatever of it was made already. */
export function layoutOf(parts: DirectLvmParts, { disks }: OwnGroup): LvmLayout {
  const room = roomOf(disks.map(({ volume, isForMetadata }) => ({ isForMetadata, extents: volume?.extents ?? 0 })));
  const layout = layOut(room, { ...parts.backing, chunkSize: parts.description.chunkSize });
  if ("refused" in layout) throw refused(parts, layout.refused, "remove the pool, and make it anew of larger disks");
  return layout;
}

/** LVM's own names of the disks for a part; none: any. */
export function disksFor({ disks }: OwnGroup, part: "data" | "metadata"): readonly string[] {
  const hasOwn = disks.some(({ isForMetadata }) => isForMetadata);
  const chosen = hasOwn ? disks.filter(({ isForMetadata }) => isForMetadata === (part === "metadata")) : disks;
  return chosen.flatMap(({ volume }) => volume?.device ?? []);
}
