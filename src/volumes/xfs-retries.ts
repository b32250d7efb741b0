import type { VolumeRecord } from "../catalog/records.ts";
import type { Filesystems } from "../filesystem/filesystems.ts";
import type { PoolFigures } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { mountsAt, ofFilesystem } from "./mount-points.ts";

/**
 * How often xfs tries again to write its metadata to a full pool. "auto" follows the pool: the kernel's default while
 * writes queue, since it can still be extended; 0 when they fail, since a hung filesystem hangs all who wait for it.
 */
export function xfsRetries({ parameters }: Pick<VolumeRecord, "parameters">, figures: Pick<PoolFigures, "queuesWhenFull"> | undefined): number | "default" {
  if (parameters.xfsNospaceMaxRetries !== "auto") return parameters.xfsNospaceMaxRetries;
  return figures?.queuesWhenFull === false ? 0 : "default";
}

/** Lets a mounted xfs follow its volume's parameters. */
export async function applyToStaged(filesystems: Filesystems, pool: Pool, record: VolumeRecord): Promise<void> {
  if (record.filesystem.type !== "xfs" || record.staging === undefined) return;
  const { ours } = await mountsAt(filesystems, record.staging.path, ofFilesystem(filesystems, record.id));
  const mount = ours.at(-1);
  if (mount !== undefined) await filesystems.setXfsNospaceRetries(mount.major, mount.minor, xfsRetries(record, pool.view.figures));
}
