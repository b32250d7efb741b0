import { setTimeout as sleep } from "node:timers/promises";
import type { ThinRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import type { ThinSpace } from "../pool/setup.ts";
import type { Volume, Volume_Space, VolumesRequest, VolumesResponse } from "./generated/admin.ts";

/** No caller waits longer for a measurement. */
const MOST_MS = 60_000;

/** The volumes and snapshots of one pool or of all, with what each takes: measured anew where that was asked for and ends in time. */
export async function listVolumes(all: readonly Pool[], { pool: name, measureMs }: VolumesRequest): Promise<VolumesResponse> {
  const pools = name === "" ? all : all.filter(({ description }) => description.name === name);
  if (pools.length === 0) throw new DmthinError({ code: "not-found", kind: "pool", id: name, known: all.map(({ description }) => description.name) });
  const measured = measureMs === 0 ? new Set(pools) : await measure(pools, Math.min(measureMs, MOST_MS));
  return {
    volumes: pools.flatMap((pool) => [...pool.view.thins.values()].map((record) => toVolume(pool, record))),
    notMeasured: pools.filter((pool) => !measured.has(pool)).map(({ description }) => description.name),
  };
}

/** Those that could be measured in that time. What takes longer goes on, and is there for the next who asks. */
async function measure(pools: readonly Pool[], limitMs: number): Promise<ReadonlySet<Pool>> {
  const measured = new Set<Pool>();
  const enough = new AbortController();
  const asked = pools
    .filter(({ view }) => view.status.kind === "ready" && view.stuck === undefined)
    .map(async (pool) => {
      await pool.calls.measure();
      measured.add(pool);
    });
  await Promise.race([Promise.allSettled(asked), sleep(limitMs, undefined, { signal: enough.signal })]).finally(() => enough.abort());
  return measured;
}

function toVolume({ description, view }: Pool, record: ThinRecord): Volume {
  const { id, name, kind, number, sizeBytes, createdAt, filesystem, state } = record;
  const space = view.spaces?.get(id);
  return {
    id,
    name,
    pool: description.name,
    kind: kind === "volume" ? "VOLUME" : "SNAPSHOT",
    virtualBytes: String(sizeBytes),
    space: space === undefined ? null : toSpace(space),
    origin: originOf(record),
    group: record.kind === "snapshot" ? (record.groupId ?? "") : "",
    filesystem: filesystem.type ?? "",
    filesystemState: filesystem.state,
    number,
    createdAt: String(createdAt.getTime()),
    stagedPath: record.kind === "volume" ? (record.staging?.path ?? "") : "",
    publishedPaths: record.kind === "volume" ? record.publications.map(({ path }) => path) : [],
    deleting: state === "deleting",
    deletionDelay: view.deferredDeletions?.get(id) ?? "",
  };
}

const toSpace = ({ mappedBytes, exclusiveBytes }: ThinSpace): Volume_Space => ({
  mappedBytes: String(mappedBytes),
  exclusiveBytes: String(exclusiveBytes ?? 0),
  exclusiveKnown: exclusiveBytes !== undefined,
});

function originOf(record: ThinRecord): string {
  if (record.kind === "snapshot") return record.sourceVolumeId;
  return record.origin.kind === "blank" ? "" : record.origin.id;
}
