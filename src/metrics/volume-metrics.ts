import type { Registry } from "prom-client";
import type { ThinRecord } from "../catalog/records.ts";
import type { Pool } from "../pool/pool.ts";
import type { ThinSpace } from "../pool/setup.ts";
import { gaugeOf, type Sample } from "./gauges.ts";

const LABELS = ["pool", "id", "name", "kind"];

/** Of each volume and snapshot: as many lines as there are of them, so they can be switched off. */
export function addVolumeMetrics(registry: Registry, pools: readonly Pool[]): void {
  const gauge = (name: string, help: string, of: (record: ThinRecord, space: ThinSpace | undefined) => number | undefined): void =>
    gaugeOf(registry, `dmthin_volume_${name}`, help, LABELS, () => samples(pools, of));
  gauge("virtual_bytes", "The size that the volume or snapshot shows.", ({ sizeBytes }) => sizeBytes);
  gauge("mapped_bytes", "What it maps in its pool, shared or not.", (_, space) => space?.mappedBytes);
  gauge("exclusive_bytes", "What it shares with no other: what its deletion gives back. As last measured.", (_, space) => space?.exclusiveBytes);
  gaugeOf(registry, "dmthin_pool_exclusive_measured_timestamp_seconds", "When what each volume has alone was last measured.", ["pool"], () =>
    pools.flatMap(({ description, view: { exclusiveAt } }): readonly Sample[] =>
      exclusiveAt === undefined ? [] : [[{ pool: description.name }, exclusiveAt.getTime() / 1000]],
    ),
  );
}

function* samples(pools: readonly Pool[], of: (record: ThinRecord, space: ThinSpace | undefined) => number | undefined): Iterable<Sample> {
  for (const { description, view } of pools) {
    for (const record of view.thins.values()) {
      const value = record.state === "ready" ? of(record, view.spaces?.get(record.id)) : undefined;
      if (value !== undefined) yield [{ pool: description.name, id: record.id, name: record.name, kind: record.kind }, value];
    }
  }
}
