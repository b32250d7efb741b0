import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import { capabilityDifference, isReadOnly, requireCapable } from "./capabilities.ts";
import { mountStaged } from "./mount-staged.ts";
import { isDeviceNode, mountsAt, ofFilesystem, takeDown } from "./mount-points.ts";
import type { Parts } from "./parts.ts";
import { requireHiding } from "./unzeroed.ts";
import type { Call, StageWanted } from "./volumes.ts";

/**
 * Activates a volume and mounts its filesystem; a block volume is activated only. That it is staged is on disk before
 * anything is done: from then on it is not deleted, and who is interrupted goes on where it stopped.
 */
export async function stage(parts: Parts, wanted: StageWanted, call: Call): Promise<void> {
  const { id, path, capability } = wanted;
  return parts.operations.run(call, "staging", { exclusive: [id] }, async () => {
    const { pool, record } = parts.pools.volume(id);
    requireCapable(record, capability);
    requireHiding(pool.description, capability);
    requireNotStagedOtherwise(record, wanted);
    const staged = record.staging === undefined ? await pool.calls.setStaging(id, { path, capability }) : record;
    try {
      if (capability.access === "block") await pool.calls.activate(id, { readOnly: isReadOnly(capability) });
      else await mountStaged(parts, pool, staged, wanted, call);
    } catch (error) {
      await withdraw(parts, pool, wanted);
      throw error;
    }
  });
}

/**
 * Takes a volume's mounts off the path and its device away; also when it is busy: then it goes when its last user does. A
 * pool that does not serve may have the volume as staged, so that it could never be deleted: then it is to be asked again.
 */
export async function unstage(parts: Parts, id: string, path: string, call: Call): Promise<void> {
  return parts.operations.run(call, "unstaging", { exclusive: [id] }, async () => {
    await takeDown(parts.filesystems, path, ofFilesystem(parts.filesystems, id));
    const found = parts.pools.findUsed(id);
    if (found?.record.state !== "ready") return;
    const { pool, record } = found;
    if (record.staging !== undefined && record.staging.path !== path) return;
    await forgetLostPublications(parts, pool, record);
    await deactivate(parts, pool, id);
    if (record.staging !== undefined) await pool.calls.setStaging(id, undefined);
  });
}

function requireNotStagedOtherwise({ id, staging }: VolumeRecord, { path, capability }: StageWanted): void {
  if (staging === undefined) return;
  const difference =
    staging.path === path ? capabilityDifference(staging.capability, capability) : `it is staged at ${staging.path}, and ${path} was asked for`;
  if (difference !== undefined) throw new DmthinError({ code: "use-conflict", id, path: staging.path, difference });
}

/** A failed staging that left nothing mounted is none: else the volume could not be deleted, as nobody unstages what was never staged. */
async function withdraw(parts: Parts, pool: Pool, { id, path }: StageWanted): Promise<void> {
  try {
    const { ours } = await mountsAt(parts.filesystems, path, ofFilesystem(parts.filesystems, id));
    if (ours.length > 0 || (parts.pools.findVolume(id)?.record.publications ?? []).length > 0) return;
    await deactivate(parts, pool, id);
    await pool.calls.setStaging(id, undefined);
  } catch (error) {
    parts.logger.warn("a failed staging could not be taken back", { id, path, error });
  }
}

async function deactivate(parts: Parts, pool: Pool, id: string): Promise<void> {
  const outcome = await pool.calls.deactivate(id);
  if (outcome === "deferred") parts.logger.info("the volume's device is still open and goes with its last user", { id });
}

/** Publications whose mount is gone would keep the volume from being deleted. */
async function forgetLostPublications(parts: Parts, pool: Pool, { id, publications, filesystem }: VolumeRecord): Promise<void> {
  if (publications.length === 0) return;
  const isOurs = filesystem.type === undefined ? async (mount: Parameters<typeof isDeviceNode>[0]) => isDeviceNode(mount) : ofFilesystem(parts.filesystems, id);
  const points = await Promise.all(publications.map(async ({ path }) => mountsAt(parts.filesystems, path, isOurs)));
  const kept = publications.filter((_, index) => (points[index]?.ours.length ?? 0) > 0);
  if (kept.length > 0) parts.logger.warn("the volume is unstaged while it is published", { id, paths: kept.map(({ path }) => path) });
  if (kept.length < publications.length) await pool.calls.setPublications(id, kept);
}
