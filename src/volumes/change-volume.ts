import type { MutableParameters } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { bytes } from "../units.ts";
import { toVolume } from "./answers.ts";
import type { Parts } from "./parts.ts";
import { requireServing } from "./pool-set.ts";
import { expandedSize, maximumVolumeBytes } from "./sizes.ts";
import type { Call, SizeRange, Volume } from "./volumes.ts";
import { applyToStaged } from "./xfs-retries.ts";

export async function expandVolume(parts: Parts, id: string, size: SizeRange, call: Call): Promise<Volume> {
  return parts.operations.run(call, "expansion", { exclusive: [id] }, async () => {
    const { pool, record } = parts.pools.volume(id);
    const figures = requireServing(pool);
    const bounds = { chunkSize: figures.chunkSize, minimumBytes: figures.chunkSize, maximumBytes: maximumVolumeBytes(pool.description, figures) };
    const sizeBytes = expandedSize(size, record.sizeBytes, bounds);
    // A size that the record has already may not be the device's yet, when what should have grown it was interrupted.
    using _ = sizeBytes > record.sizeBytes ? parts.capacities.reserve(pool, bytes(sizeBytes - record.sizeBytes)) : undefined;
    return toVolume(parts.node, { pool, record: await pool.calls.expand(id, sizeBytes) });
  });
}

/** What `change` does not name stays as it is. */
export async function modifyVolume(parts: Parts, id: string, change: Partial<MutableParameters>, call: Call): Promise<void> {
  return parts.operations.run(call, "modification", { exclusive: [id] }, async () => {
    const { pool, record } = parts.pools.volume(id);
    const { discardOnDelete = record.parameters.discardOnDelete, xfsNospaceMaxRetries = record.parameters.xfsNospaceMaxRetries } = change;
    const isNews = discardOnDelete !== record.parameters.discardOnDelete || xfsNospaceMaxRetries !== record.parameters.xfsNospaceMaxRetries;
    const modified = isNews ? await pool.calls.modify(id, { discardOnDelete, xfsNospaceMaxRetries }) : record;
    await applyToStaged(parts.filesystems, pool, modified);
  });
}

/** Unknown ids are success, and so are ids of other things: what is not there is deleted. */
export async function deleteVolume(parts: Parts, id: string, call: Call): Promise<void> {
  return parts.operations.run(call, "deletion", { exclusive: [id] }, async () => {
    const found = parts.pools.findVolume(id);
    if (found === undefined) return parts.pools.requireSettled(id);
    if (found.record.state !== "ready") return;
    const { staging, publications } = found.record;
    const path = staging?.path ?? publications[0]?.path;
    if (path !== undefined) throw new DmthinError({ code: "volume-staged", id, path });
    await found.pool.calls.remove(id);
  });
}
