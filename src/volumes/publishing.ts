import type { Publication, VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import { capabilityDifference, isReadOnly, requireCapable } from "./capabilities.ts";
import { isDeviceNode, mountsAt, ofFilesystem, ofNode, requireIdentity, strangersMount, takeDown, type IsOurs } from "./mount-points.ts";
import type { Parts } from "./parts.ts";
import type { Call, PublishWanted } from "./volumes.ts";

/** What is bound to a publication's path. */
interface Source {
  readonly path: string;
  readonly kind: "directory" | "file";
  readonly isOurs: IsOurs;
  /** Just before the bind. */
  readonly verify: () => Promise<void>;
}

/** Shows a staged volume at a path: its directory, or its device node. The path is on disk before anything is bound there. */
export async function publish(parts: Parts, wanted: PublishWanted, call: Call): Promise<void> {
  const { id, path, capability } = wanted;
  return parts.operations.run(call, "publication", { exclusive: [id] }, async () => {
    const { pool, record } = parts.pools.volume(id);
    requireCapable(record, capability);
    requireStaged(record, wanted);
    const readOnly = wanted.readOnly || isReadOnly(capability);
    requireNotPublishedOtherwise(record, { path, readOnly, capability });
    const source = record.filesystem.type === undefined ? await nodeOf(parts, pool, record) : await directoryOf(parts, record, wanted.stagingPath);
    await requireSingleWriter(parts, record, wanted, source.isOurs);
    const others = record.publications.filter((publication) => publication.path !== path);
    if (others.length === record.publications.length) await pool.calls.setPublications(id, [...others, { path, readOnly, capability }]);
    try {
      await bind(parts, source, { path, readOnly, flags: addedFlags(record, wanted) }, call);
    } catch (error) {
      await withdraw(parts, pool, { id, path, others, isOurs: source.isOurs });
      throw error;
    }
  });
}

/**
 * Takes a volume off a path, and the path away. Gone is success, whatever pools there are: with nothing mounted there,
 * nothing is left to do. What a pool that does not serve has on record of it goes with the volume's staging.
 */
export async function unpublish(parts: Parts, id: string, path: string, call: Call): Promise<void> {
  return parts.operations.run(call, "unpublication", { exclusive: [id] }, async () => {
    const ofVolume = ofFilesystem(parts.filesystems, id);
    const isKnownBlock = isPublishedBlock(parts, id, path);
    await takeDown(parts.filesystems, path, async (mount) => {
      if (!isDeviceNode(mount)) return ofVolume(mount);
      if (!isKnownBlock) parts.pools.requireComplete(); // whose it is, only its pool knows
      return isKnownBlock;
    });
    await parts.filesystems.removeTarget(path);
    const found = parts.pools.peekVolume(id);
    if (found?.record.state !== "ready" || found.pool.view.status.kind !== "ready") return;
    const kept = found.record.publications.filter((publication) => publication.path !== path);
    if (kept.length < found.record.publications.length) await found.pool.calls.setPublications(id, kept);
  });
}

/** A node bound there is ours when we have recorded that we bound one: its number may be another device's by now. */
function isPublishedBlock(parts: Parts, id: string, path: string): boolean {
  const known = parts.pools.all.map(({ view }) => view.thins.get(id)).find((record) => record?.kind === "volume");
  return known?.filesystem.type === undefined && (known?.publications ?? []).some((publication) => publication.path === path);
}

function requireStaged({ id, staging }: VolumeRecord, { stagingPath, capability, readOnly }: PublishWanted): void {
  if (staging === undefined || staging.path !== stagingPath) throw new DmthinError({ code: "not-staged", id, path: stagingPath });
  if (isReadOnly(staging.capability) && !readOnly && !isReadOnly(capability)) {
    throw new DmthinError({ code: "use-conflict", id, path: stagingPath, difference: "it is staged read-only" });
  }
}

function requireNotPublishedOtherwise({ id, publications }: VolumeRecord, wanted: Publication): void {
  const now = publications.find(({ path }) => path === wanted.path);
  if (now === undefined) return;
  const writable = now.readOnly ? "it is read-only there" : "it can be written there";
  const difference = now.readOnly === wanted.readOnly ? capabilityDifference(now.capability, wanted.capability) : writable;
  if (difference !== undefined) throw new DmthinError({ code: "use-conflict", id, path: wanted.path, difference });
}

/** Only what is really mounted counts: a publication that a killed process recorded and never made is no writer. */
async function requireSingleWriter(parts: Parts, { id, publications }: VolumeRecord, { path, capability }: PublishWanted, isOurs: IsOurs): Promise<void> {
  const rivals = publications
    .filter((publication) => publication.path !== path)
    .filter((publication) => [capability.mode, publication.capability.mode].includes("SINGLE_NODE_SINGLE_WRITER"));
  for (const rival of rivals) {
    const { ours } = await mountsAt(parts.filesystems, rival.path, isOurs);
    if (ours.length > 0) throw new DmthinError({ code: "published-elsewhere", id, path: rival.path });
  }
}

async function directoryOf({ filesystems }: Parts, { id }: VolumeRecord, stagingPath: string): Promise<Source> {
  const isOurs = ofFilesystem(filesystems, id);
  const verify = async (): Promise<void> => {
    const { top } = await mountsAt(filesystems, stagingPath, isOurs);
    if (top !== "ours") throw new DmthinError({ code: "not-staged", id, path: stagingPath });
  };
  await verify();
  return { path: stagingPath, kind: "directory", isOurs, verify };
}

async function nodeOf({ filesystems }: Parts, pool: Pool, { id, staging }: VolumeRecord): Promise<Source> {
  const device = await pool.calls.activate(id, { readOnly: staging !== undefined && isReadOnly(staging.capability) });
  return { path: device.path, kind: "file", isOurs: ofNode(device.minor), verify: async () => requireIdentity(filesystems, id, device) };
}

/** The staged mount's flags hold for its binds already. */
const addedFlags = ({ staging }: VolumeRecord, { capability }: PublishWanted): readonly string[] =>
  capability.mountFlags.filter((flag) => staging?.capability.mountFlags.includes(flag) !== true);

async function bind(
  { filesystems }: Parts,
  { path: from, kind, isOurs, verify }: Source,
  { path, readOnly, flags }: { readonly path: string; readonly readOnly: boolean; readonly flags: readonly string[] },
  call: Call,
): Promise<void> {
  const { top } = await mountsAt(filesystems, path, isOurs);
  if (top === "ours") return;
  if (top === "stranger") throw strangersMount(path);
  await filesystems.makeTarget(path, kind);
  await verify();
  await filesystems.bind(from, path, { readOnly, ...(flags.length === 0 ? {} : { mountOptions: flags }) }, call.signal);
}

/** A failed publication that left nothing mounted is none. */
async function withdraw(
  { filesystems, logger }: Parts,
  pool: Pool,
  { id, path, others, isOurs }: { readonly id: string; readonly path: string; readonly others: readonly Publication[]; readonly isOurs: IsOurs },
): Promise<void> {
  try {
    const { ours, top } = await mountsAt(filesystems, path, isOurs);
    if (ours.length > 0) return;
    if (top === "nothing") await filesystems.removeTarget(path);
    await pool.calls.setPublications(id, others);
  } catch (error) {
    logger.warn("a failed publication could not be taken back", { id, path, error });
  }
}
