import type { Registry } from "prom-client";
import type { CareReport } from "../pool/care/care-report.ts";
import type { DeletionDelay, PoolFigures, PoolState, PoolStatus } from "../pool/pool-calls.ts";
import type { Pool, PoolView } from "../pool/pool.ts";
import { BYTES_PER_METADATA_BLOCK } from "../units.ts";
import { counterOf, gaugeOf, type Sample } from "./gauges.ts";

const STATUSES = { recovering: true, locked: true, ready: true, refused: true } satisfies Record<PoolStatus["kind"], true>;
const STATES = { rw: true, ro: true, out_of_data_space: true, needs_check: true, Fail: true, Error: true } satisfies Record<PoolState, true>;
const DELAYS = { "held-open": true, "pool-not-writable": true, failed: true } satisfies Record<DeletionDelay, true>;
const PARTS = ["data", "metadata"] as const;
type Part = (typeof PARTS)[number];

/** Of pools: read from their views at each scrape, which asks no pool's actor and waits for no kernel. */
export function addPoolMetrics(registry: Registry, pools: Iterable<Pool>): void {
  const each = (samples: (pool: Pool) => readonly Sample[]) => (): readonly Sample[] =>
    Array.from(pools).flatMap((pool) => samples(pool).map(([labels, value]): Sample => [{ pool: pool.description.name, ...labels }, value]));
  const gauge = (name: string, help: string, labels: readonly string[], samples: (pool: Pool) => readonly Sample[]): void =>
    gaugeOf(registry, `dmthin_pool_${name}`, help, ["pool", ...labels], each(samples));

  gauge("status", "Whether the pool is served: 1 for the status it has.", ["status"], ({ view }) => oneOf("status", Object.keys(STATUSES), view.status.kind));
  gauge("state", "The kernel's state of the pool: 1 for the one it has.", ["state"], ({ view }) => oneOf("state", Object.keys(STATES), view.figures?.state));
  gauge("stuck_seconds", "How long a call has waited in the kernel; 0 while none waits beyond what is usual.", [], ({ view: { stuck } }) => [
    [{}, stuck === undefined ? 0 : (Date.now() - stuck.since.getTime()) / 1000],
  ]);
  for (const part of PARTS) addSpace(gauge, part);
  gauge("provisioned_bytes", "Promised to volumes: the sum of their sizes.", [], ({ view }) => whenKnown(view, () => view.promisedBytes));
  gauge("overcommit_ratio", "Promised to volumes, as a multiple of the pool's size.", [], ({ view }) =>
    withFigures(view, ({ data, chunkSize }) => (data.total === 0 ? 0 : view.promisedBytes / (data.total * chunkSize))),
  );
  gauge("overcommit_limit_ratio", "How much may be promised, as a multiple of the pool's size.", [], ({ description }) => [[{}, description.overcommitRatio]]);
  gauge("volumes", "Volumes, snapshots and group snapshots.", ["kind"], ({ view }) => counts(view));
  gauge("deferred_deletions", "Deletions that wait, by their reason.", ["reason"], ({ view }) => delays(view));
  gauge("orphans", "Thin devices in the pool's metadata that no record knows.", [], ({ view: { inventory } }) => known(inventory?.orphans.length));
  gauge("discrepancies", "Volumes and snapshots whose thin device is missing or another.", [], ({ view: { inventory } }) =>
    known(inventory?.discrepancies.length),
  );
  gauge("queues_when_full", "1 while writes in a full pool wait for room, 0 while they fail.", [], ({ view }) =>
    withFigures(view, ({ queuesWhenFull }) => Number(queuesWhenFull)),
  );
  gauge("host_free_bytes", "Free on the filesystem below the pool's files.", [], ({ view: { figures } }) => known(figures?.host?.freeBytes));
  gauge("host_reserve_bytes", "What has to stay free there.", [], ({ view: { figures } }) => known(figures?.host?.reserveBytes));
  const events = each(({ view: { care } }) => Object.entries(care?.counts ?? {}).map(([event, count]): Sample => [{ event }, count]));
  counterOf(registry, "dmthin_pool_events_total", "What care for the pool saw and did since it was opened, by kind.", ["pool", "event"], events);
}

type AddGauge = (name: string, help: string, labels: readonly string[], samples: (pool: Pool) => readonly Sample[]) => void;

function addSpace(gauge: AddGauge, part: Part): void {
  const care = (of: (report: CareReport[Part]) => number | undefined) => (pool: Pool) => (pool.view.care === undefined ? [] : known(of(pool.view.care[part])));
  gauge(`${part}_used_bytes`, `Of the pool's ${part}, in use.`, [], ({ view }) =>
    withFigures(view, (figures) => figures[part].used * blockBytes(part, figures)),
  );
  gauge(`${part}_size_bytes`, `All of the pool's ${part}.`, [], ({ view }) => withFigures(view, (figures) => figures[part].total * blockBytes(part, figures)));
  gauge(`${part}_minimum_free_bytes`, `With less of its ${part} free the pool takes no new volumes and snapshots.`, [], ({ view, description }) =>
    withFigures(view, (figures) => (figures[part].total * blockBytes(part, figures) * description.minimumFree[`${part}Percent`]) / 100),
  );
  gauge(
    `${part}_headroom_bytes`,
    `How much larger the pool's ${part} can still be made.`,
    [],
    care(({ headroomBytes }) => headroomBytes),
  );
  gauge(
    `${part}_exhausted`,
    `1 while the pool's ${part} should be larger and nothing is left to make it so.`,
    [],
    care(({ exhausted }) => Number(exhausted)),
  );
  gauge(
    `${part}_extension_failing`,
    `1 while the last attempt to make the pool's ${part} larger has failed.`,
    [],
    care(({ failure }) => Number(failure !== undefined)),
  );
  gauge(
    `${part}_extended_timestamp_seconds`,
    `When the pool's ${part} was last made larger.`,
    [],
    care(({ lastExtension }) => (lastExtension === undefined ? undefined : lastExtension.at.getTime() / 1000)),
  );
}

const blockBytes = (part: Part, { chunkSize }: PoolFigures): number => (part === "data" ? chunkSize : BYTES_PER_METADATA_BLOCK);

const known = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [[{}, value]]);

const oneOf = (label: string, names: readonly string[], current: string | undefined): readonly Sample[] =>
  current === undefined ? [] : names.map((name) => [{ [label]: name }, Number(name === current)]);

/** Only of a pool that serves: figures of before it ended are no figures. */
const withFigures = ({ status, figures }: PoolView, of: (figures: PoolFigures) => number): readonly Sample[] =>
  status.kind === "ready" && figures !== undefined ? [[{}, of(figures)]] : [];

const whenKnown = ({ status }: PoolView, of: () => number): readonly Sample[] => (status.kind === "ready" ? [[{}, of()]] : []);

function counts({ status, thins, groups }: PoolView): readonly Sample[] {
  if (status.kind !== "ready") return [];
  let [volumes, snapshots] = [0, 0];
  for (const { kind, state } of thins.values()) {
    if (state !== "ready") continue;
    if (kind === "volume") volumes++;
    else snapshots++;
  }
  return [
    [{ kind: "volume" }, volumes],
    [{ kind: "snapshot" }, snapshots],
    [{ kind: "group" }, groups.size],
  ];
}

function delays({ deferredDeletions }: PoolView): readonly Sample[] {
  if (deferredDeletions === undefined) return [];
  const reasons = [...deferredDeletions.values()];
  return Object.keys(DELAYS).map((reason) => [{ reason }, reasons.filter((each) => each === reason).length]);
}
