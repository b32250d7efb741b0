import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { NewVolume } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { toVolume } from "./answers.ts";
import { volumeId } from "./ids.ts";
import { invalid } from "./invalid.ts";
import { findOrigin, requireCompatibleOrigin } from "./origins.ts";
import type { Parts } from "./parts.ts";
import { requireServing, type Found } from "./pool-set.ts";
import { maximumVolumeBytes, minimumVolumeBytes, newVolumeSize } from "./sizes.ts";
import type { Call, Volume, VolumeWanted } from "./volumes.ts";
import { requireHiding } from "./unzeroed.ts";
import { differenceFrom, purposeOf, type Purpose } from "./wanted.ts";

/** Finds the volume of that name, or makes it. What can be decided from the pools' views is, before a pool is asked. */
export async function createVolume(parts: Parts, wanted: VolumeWanted, call: Call): Promise<Volume> {
  const id = volumeId(wanted.name);
  const shared = wanted.origin.kind === "blank" ? [] : [wanted.origin.id];
  return parts.operations.run(call, "creation", { exclusive: [id], shared }, async () => {
    const purpose = purposeOf(wanted);
    const existing = parts.pools.findVolume(id);
    if (existing !== undefined) return toVolume(parts.node, requireSame(parts, wanted, purpose, existing));
    requireThisNode(parts.node, wanted);
    const { pool, volume } = plan(parts, id, wanted, purpose);
    using _ = parts.capacities.reserve(pool, volume.sizeBytes);
    return toVolume(parts.node, { pool, record: await pool.calls.createVolume(volume) });
  });
}

function requireSame(parts: Parts, wanted: VolumeWanted, purpose: Purpose, existing: Found<VolumeRecord>): Found<VolumeRecord> {
  const { record, pool } = existing;
  if (record.state === "deleting") throw new DmthinError({ code: "being-deleted", kind: "volume", id: record.id });
  const elsewhere = isThisNode(parts.node, wanted) ? undefined : `it is on node ${parts.node}`;
  const difference = elsewhere ?? differenceFrom(wanted, purpose, { record, pool: pool.description.name });
  if (difference !== undefined) throw new DmthinError({ code: "already-exists", kind: "volume", id: record.id, difference });
  return existing;
}

const isThisNode = (node: string, { topology }: VolumeWanted): boolean =>
  topology === undefined || topology.requisite.length === 0 || topology.requisite.includes(node);

/** A copy cannot leave its source's node, whatever is asked later; a blank volume may find another. */
function requireThisNode(node: string, wanted: VolumeWanted): void {
  if (isThisNode(node, wanted)) return;
  const asked = wanted.topology?.requisite ?? [];
  if (wanted.origin.kind !== "blank") throw invalid(`its source is on node ${node}, and only ${asked.join(", ")} would do`);
  throw new DmthinError({ code: "not-in-topology", node, asked });
}

function plan(parts: Parts, id: string, wanted: VolumeWanted, purpose: Purpose): { readonly pool: Pool; readonly volume: NewVolume } {
  const { parameters, origin, capabilities, name } = wanted;
  const source = findOrigin(parts.pools, origin);
  if (source !== undefined) requireCompatibleOrigin(source, purpose, parameters.pool);
  const pool = source?.pool ?? parts.pools.choose(parameters.pool);
  const { description } = pool;
  requireHiding(description, { ...purpose, mountFlags: capabilities.flatMap(({ mountFlags }) => mountFlags) });
  const filesystem = source === undefined ? blankFilesystem(purpose, pool) : source.record.filesystem.type;
  const figures = requireServing(pool);
  const sizeBytes = newVolumeSize(wanted.size, {
    chunkSize: figures.chunkSize,
    minimumBytes: minimumVolumeBytes(figures.chunkSize, filesystem === undefined ? undefined : parts.filesystems.minimumBytes(filesystem)),
    maximumBytes: maximumVolumeBytes(description, figures),
    defaultBytes: description.defaultVolumeSize,
    sourceBytes: source?.record.sizeBytes,
  });
  const { discardOnDelete = description.discardOnDelete, xfsNospaceMaxRetries = "auto" } = parameters.mutable;
  const { mkfsOptions } = purpose;
  if (source === undefined) requireMkfsOptions(parts, filesystem, mkfsOptions);
  return {
    pool,
    volume: { id, name, sizeBytes, origin, filesystem, capabilities, mkfsOptions, parameters: { discardOnDelete, xfsNospaceMaxRetries } },
  };
}

const blankFilesystem = (purpose: Purpose, pool: Pool): NewVolume["filesystem"] =>
  purpose.access === "block" ? undefined : (purpose.filesystem ?? pool.description.filesystem);

/** Now, and not when the volume is first staged: then it has a claim and a pod that wait for it. */
function requireMkfsOptions({ filesystems }: Parts, filesystem: NewVolume["filesystem"], options: readonly string[]): void {
  const problems = filesystem === undefined ? [] : filesystems.mkfsProblems(filesystem, options);
  if (problems.length > 0) throw new DmthinError({ code: "invalid-argument", problems: problems.map((each) => `parameter mkfsOptions: ${each}`) });
}
