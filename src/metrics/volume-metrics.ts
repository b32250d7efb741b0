import type { ThinRecord } from "../catalog/records.ts";
import type { Pool } from "../pool/pool.ts";
import type { ThinSpace } from "../pool/setup.ts";
import { expose } from "./exposition.ts";
import type { Sample } from "./gauges.ts";

/** Of each volume and snapshot: as many lines as there are of them, so they can be switched off. */
export function* volumeMetrics(pools: Iterable<Pool>): Iterable<string> {
  const each = (of: (record: ThinRecord, space: ThinSpace | undefined) => number | undefined) => samples(pools, of);
  yield* expose(
    "dmthin_volume_virtual_bytes",
    "The size that the volume or snapshot shows.",
    each(({ sizeBytes }) => sizeBytes),
  );
  yield* expose(
    "dmthin_volume_mapped_bytes",
    "What it maps in its pool, shared or not.",
    each((_, space) => space?.mappedBytes),
  );
  yield* expose(
    "dmthin_volume_exclusive_bytes",
    "What it shares with no other: what its deletion gives back. As last measured.",
    each((_, space) => space?.exclusiveBytes),
  );
  const measured = Array.from(pools).flatMap(({ description, view: { exclusiveAt } }): readonly Sample[] =>
    exclusiveAt === undefined ? [] : [[{ pool: description.name }, exclusiveAt.getTime() / 1000]],
  );
  yield* expose("dmthin_pool_exclusive_measured_timestamp_seconds", "When what each volume has alone was last measured.", measured);
}

function* samples(pools: Iterable<Pool>, of: (record: ThinRecord, space: ThinSpace | undefined) => number | undefined): Iterable<Sample> {
  for (const { description, view } of pools) {
    for (const record of view.thins.values()) {
      const value = record.state === "ready" ? of(record, view.spaces?.get(record.id)) : undefined;
      if (value !== undefined) yield [{ pool: description.name, id: record.id, name: record.name, kind: record.kind }, value];
    }
  }
}
