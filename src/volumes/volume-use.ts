import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError, isError } from "../errors.ts";
import type { Mount, Usage } from "../filesystem/filesystems.ts";
import type { Bytes } from "../units.ts";
import { isReadOnly } from "./capabilities.ts";
import { volumeCondition } from "./condition.ts";
import { mountsAt, ofFilesystem, requireIdentity } from "./mount-points.ts";
import type { Parts } from "./parts.ts";
import type { Call, VolumeStats } from "./volumes.ts";

/** Longer than any filesystem that is well takes, and shorter than the kubelet's patience. */
const USAGE_DEADLINE_MS = 2500;

/** Starts no process, waits for no pool, and takes no lock: it is asked all the time. */
export async function volumeStats(parts: Parts, id: string, path: string): Promise<VolumeStats> {
  const { pool, record } = parts.pools.volume(id);
  const isHere = record.staging?.path === path || record.publications.some((publication) => publication.path === path);
  if (!isHere) throw notThere(path);
  const condition = volumeCondition(pool, id);
  const { sizeBytes } = record;
  if (record.filesystem.type === undefined) return { usage: undefined, sizeBytes, condition };
  const { ours, top } = await mountsAt(parts.filesystems, path, ofFilesystem(parts.filesystems, id));
  const mount = ours.at(-1);
  if (top !== "ours" || mount === undefined) throw notThere(path);
  const usage = await usageOf(parts, path, mount);
  if (usage !== "no answer") return { usage, sizeBytes, condition };
  const message = condition.abnormal ? condition.message : `the filesystem at ${path} does not answer`;
  return { usage: undefined, sizeBytes, condition: { abnormal: true, message } };
}

/** Grows a staged filesystem to its device, which the expansion has made larger. A block volume is as large as its device. */
export async function expandFilesystem(parts: Parts, id: string, path: string, call: Call): Promise<Bytes> {
  return parts.operations.run(call, "growth", { exclusive: [id] }, async () => {
    const { pool, record } = parts.pools.volume(id);
    const { type } = record.filesystem;
    if (type === undefined) return record.sizeBytes;
    const staging = requireAt(record, path);
    const { top } = await mountsAt(parts.filesystems, staging.path, ofFilesystem(parts.filesystems, id));
    if (top !== "ours") throw notThere(staging.path);
    if (isReadOnly(staging.capability)) return record.sizeBytes; // grown when it is staged for writing
    const device = await pool.calls.activate(id, { readOnly: false });
    await requireIdentity(parts.filesystems, id, device);
    await parts.filesystems.grow(type, device.path, staging.path);
    if (record.growFilesystem) await pool.calls.setFilesystem(id, { growFilesystem: false });
    return device.sizeBytes;
  });
}

function requireAt({ staging, publications }: VolumeRecord, path: string): NonNullable<VolumeRecord["staging"]> {
  const isHere = staging?.path === path || publications.some((publication) => publication.path === path);
  if (staging === undefined || !isHere) throw notThere(path);
  return staging;
}

/** undefined while its device is suspended: statfs would wait. */
async function usageOf({ filesystems }: Parts, path: string, { major, minor }: Mount): Promise<Usage | "no answer" | undefined> {
  const identity = await filesystems.deviceIdentity(major, minor);
  if (identity?.suspended === true) return undefined;
  try {
    return await filesystems.usage(path, USAGE_DEADLINE_MS);
  } catch (error) {
    if (isError(error, "deadline")) return "no answer";
    throw error;
  }
}

const notThere = (path: string): DmthinError => new DmthinError({ code: "not-found", kind: "path", id: path });
