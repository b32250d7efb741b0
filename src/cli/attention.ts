import { lacksForAnyCopy } from "../pool/care/metadata-for-copies.ts";
import { formatBytes, MiB } from "../units.ts";
import type { CareInfo, PoolInfo } from "./driver-info.ts";
import { duration, isLow } from "./lines.ts";

/** What somebody should know or do about a pool, in sentences. `now` in milliseconds since 1970. */
export const attention = (pool: PoolInfo, now: number): readonly string[] => [...ofStatus(pool, now), ...ofRoom(pool), ...ofCopies(pool), ...ofCare(pool.care)];

function ofStatus(pool: PoolInfo, now: number): readonly string[] {
  const { status, refusal, remedy, stuck, figures } = pool;
  const sentences: string[] = [];
  if (status === "RECOVERING")
    sentences.push(refusal === "" ? "It is being started, and takes no calls yet." : `It cannot be started: ${refusal}. It is tried again.`);
  if (status === "LOCKED") sentences.push("Another process has this pool. It is taken over when that ends.");
  if (status === "REFUSED") sentences.push(`It was refused and is left alone: ${refusal}.`, `To do: ${remedy}. Then restart the driver.`);
  if (stuck !== undefined) {
    const seconds = Math.max(Math.round((now - stuck.since) / 1000), 0);
    sentences.push(`${stuck.operation} has waited ${duration(seconds)} for the kernel: look at the disks below the pool. What is shown here is as old.`);
  }
  if (figures !== undefined && figures.state !== "rw") sentences.push(STATES[figures.state] ?? `Its state is ${figures.state}: it takes no changes.`);
  return sentences;
}

const STATES: Readonly<Record<string, string>> = {
  ro: "It is read-only: the kernel could not write its metadata. Deletions are kept and carried out later.",
  out_of_data_space: "It has no room left: volumes cannot write to new blocks until some are freed or the pool grows.",
  needs_check: "Its metadata must be checked before the kernel writes to it again.",
  Fail: "It has failed: the kernel can neither read nor write its metadata.",
  Error: "It does not answer: the kernel cannot tell its figures.",
};

function ofRoom({ figures }: PoolInfo): readonly string[] {
  const sentences: string[] = [];
  for (const resource of ["data", "metadata"] as const) {
    if (figures !== undefined && isLow(figures[resource]))
      sentences.push(`Less ${resource} space is free than its minimum: no new volumes and snapshots until some are deleted or the pool grows.`);
  }
  const host = figures?.host;
  if (host !== undefined && host.free < host.reserve)
    sentences.push(
      `The filesystem below its files has ${formatBytes(host.free)} free, less than the reserve of ${formatBytes(host.reserve)}: make room there.`,
    );
  return sentences;
}

/** It is told before the first snapshot is asked for: metadata on a device of its own may be there to stay. */
function ofCopies({ name, figures, care, chunkBytes }: PoolInfo): readonly string[] {
  if (figures === undefined || care === undefined || figures.metadata.total === 0) return [];
  const { headroom, thresholdPercent } = care.metadata;
  const metadataBytes = figures.metadata.total + (thresholdPercent === 0 ? 0 : headroom); // which snapshots do not count on
  const lacks = lacksForAnyCopy({ dataBytes: figures.data.total, metadataBytes, chunkSize: chunkBytes });
  if (lacks === 0) return [];
  const remedy =
    headroom >= lacks ? `dmthin pool extend ${name} --metadata +${Math.ceil(lacks / MiB)}Mi` : "give it more, or make the pool anew with larger chunks";
  return [
    `Its metadata is too small for any snapshot, clone or restore: it lacks ${formatBytes(lacks)} to let all of the data be written anew. To do: ${remedy}.`,
  ];
}

function ofCare(care: CareInfo | undefined): readonly string[] {
  if (care === undefined) return [];
  return (["data", "metadata"] as const).flatMap((part) => {
    const { exhausted, failure } = care[part];
    if (exhausted) return [`Its ${part} should be made larger, and nothing is left to do so: add space below it, or delete volumes and snapshots.`];
    return failure === "" ? [] : [`Its ${part} could not be made larger: ${failure}. It is tried again.`];
  });
}
