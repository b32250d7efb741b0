import type { ThinRecord, VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { FILESYSTEM_TYPES, type FilesystemType } from "../filesystem/filesystems.ts";
import type { ExaminedOrphan, Orphan } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { bytes, formatBytes, roundUp, type Bytes } from "../units.ts";
import { toVolume } from "./answers.ts";
import { volumeId } from "./ids.ts";
import { requireIdentity } from "./mount-points.ts";
import type { Parts } from "./parts.ts";
import { requireServing } from "./pool-set.ts";
import { maximumVolumeBytes, type SizeBounds } from "./sizes.ts";
import type { AdoptionWanted, OrphanSeen } from "./upkeep.ts";
import type { Call, Volume } from "./volumes.ts";

export async function listOrphans(pool: Pool): Promise<readonly OrphanSeen[]> {
  const { orphans } = await pool.calls.inventory();
  return orphans.map((orphan) => ({ ...orphan, ...madeBetween(orphan, [...pool.view.thins.values()]) }));
}

/** The pool's transaction id moves by one with each transition, so that it orders what was made. */
function madeBetween({ transactionId }: Orphan, records: readonly ThinRecord[]): Pick<OrphanSeen, "notBefore" | "notAfter"> {
  const times = (are: (record: ThinRecord) => boolean): readonly number[] => records.filter(are).map(({ createdAt }) => createdAt.getTime());
  const before = times((record) => record.transactionId < transactionId);
  const after = times((record) => record.transactionId > transactionId);
  return {
    notBefore: before.length === 0 ? undefined : new Date(Math.max(...before)),
    notAfter: after.length === 0 ? undefined : new Date(Math.min(...after)),
  };
}

export async function adoptOrphan(parts: Parts, { pool: poolName, number, name, sizeBytes }: AdoptionWanted, call: Call): Promise<Volume> {
  const pool = parts.pools.named(poolName);
  const figures = requireServing(pool);
  const id = volumeId(name);
  return parts.operations.run(call, "adoption", { exclusive: [id] }, async () => {
    const known = parts.pools.findVolume(id);
    if (known?.record.number === number && known.pool === pool && known.record.state === "ready") {
      requireSameSize(known.record, sizeBytes, figures.chunkSize);
      return toVolume(parts.node, known);
    }
    if (known !== undefined) throw taken(id, known.record.number);
    const examined = await pool.calls.examineOrphan(number, id);
    try {
      const { filesystem, leastBytes } = await look(parts, id, examined);
      const size = sizeOf(leastBytes, sizeBytes, { chunkSize: figures.chunkSize, maximumBytes: maximumVolumeBytes(pool.description, figures) });
      const parameters = { discardOnDelete: pool.description.discardOnDelete, xfsNospaceMaxRetries: "auto" } as const;
      return toVolume(parts.node, { pool, record: await pool.calls.adoptOrphan({ number, id, name, sizeBytes: size, filesystem, parameters }) });
    } finally {
      await pool.calls.deactivate(id);
    }
  });
}

export async function deleteOrphan(parts: Parts, wanted: { readonly pool: string; readonly number: number }, call: Call): Promise<"removed" | "waiting"> {
  const pool = parts.pools.named(wanted.pool);
  requireServing(pool);
  // No name that a caller could have given: those have no NUL.
  const id = volumeId(`\0orphan ${wanted.pool} ${wanted.number}`);
  return parts.operations.run(call, "deletion", { exclusive: [id] }, async () => pool.calls.removeOrphan(wanted.number, id));
}

/** Of an adoption that was carried out already. */
function requireSameSize(record: VolumeRecord, wanted: Bytes | undefined, chunkSize: Bytes): void {
  if (wanted === undefined || roundUp(wanted, chunkSize) === record.sizeBytes) return;
  const difference = `it is thin device ${record.number}, adopted before, and has ${formatBytes(record.sizeBytes)}: a volume is made larger by its expansion`;
  throw new DmthinError({ code: "already-exists", kind: "volume", id: record.id, difference });
}

/** What it holds, and how large it has to be for that. */
async function look(
  { filesystems }: Parts,
  id: string,
  { device, leastBytes }: ExaminedOrphan,
): Promise<{ readonly filesystem: FilesystemType | undefined; readonly leastBytes: Bytes }> {
  await requireIdentity(filesystems, id, device);
  const probed = await filesystems.probe(device.path);
  const filesystem = FILESYSTEM_TYPES.find((type) => type === probed?.type);
  const stated = filesystem === undefined ? undefined : await filesystems.sizeOf(device.path);
  return { filesystem, leastBytes: bytes(Math.max(leastBytes, stated ?? 0)) };
}

/** What it holds may say any size: its last user has written that. */
function sizeOf(leastBytes: Bytes, wanted: Bytes | undefined, { chunkSize, maximumBytes }: Pick<SizeBounds, "chunkSize" | "maximumBytes">): Bytes {
  if (wanted !== undefined && wanted < leastBytes)
    throw new DmthinError({ code: "out-of-range", what: formatBytes(wanted), reason: `what it holds takes ${formatBytes(leastBytes)}` });
  const size = Math.max(wanted ?? leastBytes, chunkSize);
  if (size <= maximumBytes) return roundUp(bytes(size), chunkSize);
  const asked = wanted === undefined ? `what it holds says that it is as large, and ` : "";
  throw new DmthinError({
    code: "out-of-range",
    what: formatBytes(size),
    reason: `${asked}the largest volume that this pool can ever hold has ${formatBytes(maximumBytes)}: a larger pool, or a higher overcommitRatio, would hold it`,
  });
}

const taken = (id: string, number: number): DmthinError =>
  new DmthinError({ code: "already-exists", kind: "volume", id, difference: `it is thin device ${number}` });
