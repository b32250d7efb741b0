import { wipeSignatures } from "../../filesystem/signatures.ts";
import type { Lvm } from "../../lvm/lvm.ts";
import type { VolumeGroup } from "../../lvm/reports.ts";
import { DMTHIN_TAG, drawMark, isMarked, markOf, markTag, newVolumeUuid, poolTag, readMark, writeMark, type Mark } from "./direct-lvm-mark.ts";
import { examineDisks, isSameDisk, lvmOn, seeDisks, whyNot, type Examined, type SeenDisk, type SeenDisks } from "./direct-lvm-disks.ts";
import { findDisks } from "./disk-patterns.ts";
import { notReady, refused, unchanged, type DirectLvmParts } from "./direct-lvm-parts.ts";
import type { ExcludedDisk, PoolDisks } from "./backing.ts";
import { blankEnds } from "./block-device.ts";
import { EXTENT_BYTES, describeLayout, extentsOf, layOut, type Room } from "./lvm-layout.ts";

/** The pool's own volume group, whole. */
export interface OwnGroup {
  readonly group: VolumeGroup;
  readonly disks: readonly SeenDisk[];
  readonly mark: Mark;
}

/** Told which disks are taken and which are not, at each look at them. */
export type TellDisks = (disks: PoolDisks) => void;

/** Finds the pool's volume group by its mark, or makes it of disks that hold nothing. Repeated after an interruption, it goes on. */
export async function openGroup(parts: DirectLvmParts, tell: TellDisks): Promise<OwnGroup> {
  const mark = await readMark(parts.stateDirectory);
  if (mark?.phase === "wiping") throw refused(parts, "it is being removed, and that was interrupted", "remove it again, to the end");
  if (mark?.phase === "importing" && parts.isImporting?.() !== true) {
    const remedy = `say it again: dmthin pool import ${parts.description.name}; it goes on, or undoes what it has begun when you do not agree`;
    throw refused(parts, "its import was interrupted", remedy);
  }
  const seen = await seeDisks(parts, mark?.added ?? []);
  const found = mark === undefined ? undefined : ownGroup(seen, mark);
  if (found !== undefined) return whole(parts, seen, found, tell);
  if (mark !== undefined && mark.phase !== "making") throw missingDisks(parts, seen);
  requireNobodyElses(parts, seen);
  await makeGroup(parts, seen, mark ?? { mark: drawMark(), phase: "making", added: [] }, tell);
  return openGroup(parts, tell);
}

function ownGroup({ groups, disks }: SeenDisks, mark: Mark): OwnGroup | undefined {
  const group = groups.find(({ tags }) => markOf(tags) === mark.mark);
  if (group === undefined) return undefined;
  return { group, mark, disks: disks.filter(({ volume }) => volume?.groupUuid === group.uuid) };
}

async function whole(parts: DirectLvmParts, seen: SeenDisks, found: OwnGroup, tell: TellDisks): Promise<OwnGroup> {
  const { group, mark } = found;
  if (group.missingPhysicalVolumes > 0) {
    throw notReady(
      parts,
      `${group.missingPhysicalVolumes} of the disks of volume group ${group.name} are not there, or are not among its description's devices`,
    );
  }
  const others = seen.disks.filter((disk) => !found.disks.includes(disk));
  for (const { name, isNamed } of others) {
    if (isNamed) parts.logger.warn("a disk is not in the pool's volume group: dmthin pool extend --add-device adds it", { disk: name, group: group.name });
  }
  const excluded = [...(await Promise.all(others.map(async (disk) => leftOut(parts, disk)))), ...absent(seen)];
  tell({ members: found.disks.map(({ name }) => name), excluded });
  if (mark.phase !== "making") return found;
  const made: Mark = { ...mark, phase: "made" };
  await writeMark(parts.stateDirectory, made);
  return { ...found, mark: made };
}

/** The same disks, with what LVM says of them now. */
export async function recount(own: OwnGroup, lvm: Lvm): Promise<OwnGroup> {
  const volumes = await lvm.physicalVolumes();
  return { ...own, disks: own.disks.map((disk) => ({ ...disk, volume: volumes.find(({ uuid }) => uuid === disk.volume?.uuid) })) };
}

/** As an administrator can change it, whatever `force` would overwrite in a group that is still to be made. */
async function leftOut(parts: DirectLvmParts, disk: SeenDisk): Promise<ExcludedDisk> {
  const blank = "it is blank, and is not in the pool's volume group: dmthin pool extend --add-device adds it; in a cluster name it in its ThinPool";
  const reason = await examineDisks(parts, [disk]).then(
    ([examined]) => (examined === undefined ? blank : (whyNot(examined, { force: false, isOurs: () => false }) ?? blank)),
    (error: unknown) => `it cannot be looked at: ${error instanceof Error ? error.message : String(error)}`,
  );
  return { path: disk.name, reason };
}

const absent = ({ missing }: SeenDisks): readonly ExcludedDisk[] => missing.map((path) => ({ path, reason: "it is not there" }));

const missingDisks = (parts: DirectLvmParts, { missing, disks }: SeenDisks): Error =>
  notReady(
    parts,
    `volume group ${parts.backing.volumeGroup} is on none of its disks (${[...disks.map(({ name }) => name), ...missing.map((name) => `${name}: not there`)].join(", ")})`,
  );

/** A group of this name, or made for a pool of this name, is never taken, and never doubled. */
function requireNobodyElses(parts: DirectLvmParts, { groups }: SeenDisks): void {
  const { description, backing } = parts;
  const before = groups.find(({ tags }) => tags.includes(poolTag(description.name)) && markOf(tags) !== undefined);
  if (before !== undefined) {
    const reason = `its disks hold volume group ${before.name} of a pool ${description.name} that this machine's state directory does not know`;
    throw refused(parts, reason, "dmthin pool import brings it up with all that it holds");
  }
  const same = groups.find(({ name }) => name === backing.volumeGroup);
  if (same !== undefined) throw refused(parts, `its disks hold a volume group ${same.name} that is not its own`, "choose other disks, or another volumeGroup");
}

async function makeGroup(parts: DirectLvmParts, seen: SeenDisks, mark: Mark, tell: TellDisks): Promise<void> {
  const { description, backing, logger, observe, stateDirectory } = parts;
  const chosen = await chooseDisks(parts, seen, mark, tell);
  const room = roomOf(chosen.map(({ disk }) => ({ ...disk, extents: extentsOf(disk.sizeBytes) })));
  const layout = layOut(room, { ...backing, chunkSize: description.chunkSize });
  if ("refused" in layout) throw refused(parts, layout.refused, "name larger disks, or more of them");
  const disks = chosen.map(({ disk }) => disk.name);
  logger.info("making the pool's volume group", { group: backing.volumeGroup, disks, layout: describeLayout(layout) });
  await step(observe, "mark", () => writeMark(stateDirectory, mark));
  const lvm = lvmOn(
    parts,
    chosen.map(({ disk }) => disk),
  );
  await label(parts, lvm, chosen, mark);
  const tags = [DMTHIN_TAG, poolTag(description.name), markTag(mark.mark)];
  const paths = chosen.map(({ disk }) => disk.path);
  await step(observe, "vgcreate", () => lvm.createVolumeGroup(backing.volumeGroup, paths, { tags, extentBytes: EXTENT_BYTES }));
}

/**
 * Each disk gets LVM's label with a uuid of ours. Those of an interrupted start have it; where LVM itself was killed it says
 * of some that they are in use, before any group is written to them: these get another.
 */
async function label(parts: DirectLvmParts, lvm: Lvm, chosen: readonly Examined[], { mark }: Mark): Promise<void> {
  for (const { disk, finding } of chosen) {
    if (finding.kind === "labelled" && isMarked(finding.volume.uuid, mark)) continue;
    if (finding.kind === "claimed") await step(parts.observe, "blank", async () => blankEnds(disk));
    else if (finding.kind !== "blank") await step(parts.observe, "wipe", () => overwrite(parts, disk));
    await step(parts.observe, "pvcreate", () => lvm.createPhysicalVolume(disk.path, newVolumeUuid(mark)));
  }
}

async function overwrite({ run, logger }: DirectLvmParts, disk: SeenDisk): Promise<void> {
  logger.warn("overwriting what a disk holds, since force says so", { disk: disk.name });
  await wipeSignatures(run, disk.path);
  blankEnds(disk);
}

/** A disk that is written out and cannot be taken refuses the pool; one that a pattern has found is left out. */
async function chooseDisks(parts: DirectLvmParts, seen: SeenDisks, mark: Mark, tell: TellDisks): Promise<readonly Examined[]> {
  const { disks, missing } = seen;
  const examined = await examineDisks(parts, disks);
  const isOurs = ({ uuid }: { readonly uuid: string }): boolean => isMarked(uuid, mark.mark);
  const judged = examined.map((each) => ({ ...each, reason: whyNot(each, { force: parts.backing.force, isOurs }) }));
  const notTaken = judged.flatMap(({ disk, reason }) => (reason === undefined ? [] : [{ path: disk.name, reason }]));
  tell({ members: [], excluded: [...notTaken, ...absent(seen)] });
  const excluded = notTaken.map(({ path, reason }) => `${path}: ${reason}`);
  const chosen = judged.filter(({ reason }) => reason === undefined);
  const namedOut = [...judged.filter(({ disk, reason }) => disk.isNamed && reason !== undefined), ...missing];
  if (missing.length > 0 && namedOut.length === missing.length)
    throw notReady(parts, `disks are not there: ${missing.join(", ")}; attach them, or correct their paths`);
  if (namedOut.length > 0 || chosen.length === 0) {
    const all = [...excluded, ...missing.map((name) => `${name}: not there`)];
    if (all.length === 0) throw refused(parts, `no disk fits ${patternsOf(parts)}`, "correct that, or attach the disks");
    const remedy = "name other disks; force: true overwrites what a disk holds, never one in use or in a volume group";
    throw refused(parts, `disks cannot be taken: ${all.join("; ")}`, remedy);
  }
  if (excluded.length > 0) parts.logger.warn("disks that fit a pattern are left out", { excluded });
  return chosen;
}

const patternsOf = ({ backing: { devices, metadataDevices } }: DirectLvmParts): string => [...devices, ...metadataDevices].join(", ");

/** Extents by what they may be used for. */
export function roomOf(disks: readonly { readonly isForMetadata: boolean; readonly extents: number }[]): Room {
  const sum = (isForMetadata: boolean): number =>
    disks.filter((disk) => disk.isForMetadata === isForMetadata).reduce((total, { extents }) => total + extents, 0);
  return { data: sum(false), metadata: sum(true) };
}

/** A step of provisioning: what an interruption can fall between. */
export async function step<Result>(observe: DirectLvmParts["observe"], name: string, work: () => Promise<Result>): Promise<Result> {
  observe("provision", name, "before");
  const result = await work();
  observe("provision", name, "after");
  return result;
}

/** More disks for the group: those that are in it already are left alone. On record first, so that an interruption leaves none behind that LVM is not shown. */
export async function addDisks(parts: DirectLvmParts, { group, mark }: OwnGroup, paths: readonly string[]): Promise<void> {
  const added = [...new Set([...mark.added, ...paths])];
  const { disks } = await seeDisks(parts, added);
  const { disks: wanted, missing } = await findDisks(paths);
  if (missing.length > 0) throw unchanged(parts, `disks are not there: ${missing.join(", ")}`, "attach them, or correct their paths");
  const chosen = disks.filter((disk) => disk.volume?.groupUuid !== group.uuid && wanted.some(isSameDisk(disk)));
  const examined = await examineDisks(parts, chosen);
  const isOurs = ({ uuid }: { readonly uuid: string }): boolean => isMarked(uuid, mark.mark);
  const excluded = examined.flatMap((each) => {
    const reason = whyNot(each, { force: parts.backing.force, isOurs });
    return reason === undefined ? [] : [`${each.disk.name}: ${reason}`];
  });
  if (excluded.length > 0) throw unchanged(parts, `disks cannot be taken: ${excluded.join("; ")}`, "name other disks, or wipe them yourself");
  await step(parts.observe, "mark", () => writeMark(parts.stateDirectory, { ...mark, added }));
  const lvm = lvmOn(parts, disks);
  await label(parts, lvm, examined, mark);
  if (chosen.length > 0)
    await step(parts.observe, "vgextend", () =>
      lvm.extendVolumeGroup(
        group.name,
        chosen.map(({ path }) => path),
      ),
    );
}
