import type { CareReport } from "../../pool/care/care-report.ts";
import type { PoolFigures } from "../../pool/pool-calls.ts";
import { stateTrouble } from "../../pool/pool-state.ts";
import type { Pool } from "../../pool/pool.ts";
import { BYTES_PER_METADATA_BLOCK, formatQuantity, GiB, MiB } from "../../units.ts";
import { availableBytes } from "../../volumes/capacity.ts";
import { poolCondition } from "../../volumes/condition.ts";
import { minimumVolumeBytes } from "../../volumes/sizes.ts";
import { withConditions, type Told } from "../node/conditions.ts";
import type { NodeThinPoolStatus } from "../objects/node-thin-pool.ts";

/** What is known of one pool of this node. */
export interface PoolSeen {
  /** undefined: nothing is open. */
  readonly pool: Pool | undefined;
  /** The generation of the ThinPool that it runs with. */
  readonly observedGeneration: number | undefined;
  /** Why the ThinPool, as it is now, is not what the pool runs with. */
  readonly refusal: string | undefined;
  /** Set while its ThinPool is gone, or selects this node no more: why it is still here. */
  readonly removal: string | undefined;
  /** What the cluster has no object of, in order. */
  readonly unclaimed: readonly string[];
}

export interface StatusSurroundings {
  readonly before: NodeThinPoolStatus;
  readonly now: Date;
  readonly driverVersion: string;
  readonly kernelVersion: string;
}

const MOST_UNCLAIMED = 100;
const MOST_EXCLUDED = 100;

/** What the node says of it. */
export function statusOf(seen: PoolSeen, { before, now, driverVersion, kernelVersion }: StatusSurroundings): NodeThinPoolStatus {
  const { pool, observedGeneration, unclaimed } = seen;
  const { phase, message } = phaseOf(seen);
  return {
    ...before, // figures that are not known now are those of before: a pool that is being recovered is as large as it was
    ...(pool === undefined ? {} : factsOf(pool)),
    phase,
    message,
    unclaimed: unclaimed.slice(0, MOST_UNCLAIMED),
    driverVersion,
    kernelVersion,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions: [...withConditions(before.conditions, conditionsOf(seen, phase, message), now)],
  };
}

type Phase = NodeThinPoolStatus["phase"];

function phaseOf({ pool, refusal, removal }: PoolSeen): { readonly phase: Phase; readonly message: string } {
  if (removal !== undefined) return { phase: "Removing", message: removal };
  if (pool === undefined) return refusal === undefined ? { phase: "Pending", message: "it is being set up" } : { phase: "Refused", message: refusal };
  const { message } = poolCondition(pool);
  const said = refusal === undefined ? message : `${message}; its ThinPool is not followed: ${refusal}`;
  switch (pool.view.status.kind) {
    case "ready":
      return { phase: "Ready", message: said };
    case "refused":
      return { phase: "Refused", message: said };
    case "recovering":
    case "locked":
      return { phase: "Pending", message: said };
  }
}

function conditionsOf({ pool, refusal }: PoolSeen, phase: Phase, message: string): readonly Told[] {
  const health = pool === undefined ? undefined : poolCondition(pool);
  const serves = phase === "Ready" && health?.abnormal === false;
  const ready: Told = { type: "Ready", status: serves ? "True" : "False", reason: serves ? "Serves" : (reasonOf(pool) ?? phase), message };
  const taken: Told =
    refusal === undefined
      ? { type: "DescriptionAccepted", status: "True", reason: "Accepted", message: "the pool is as its ThinPool describes it" }
      : { type: "DescriptionAccepted", status: "False", reason: "Refused", message: refusal };
  return [ready, taken];
}

function reasonOf(pool: Pool | undefined): string | undefined {
  const { status, stuck, figures } = pool?.view ?? {};
  if (status?.kind !== "ready") return undefined;
  if (stuck !== undefined) return "Stuck";
  return figures === undefined ? undefined : stateTrouble(figures.state)?.reason;
}

type Facts = Partial<NodeThinPoolStatus>;

/** What the pool's view tells. */
function factsOf({ description, view }: Pool): Facts {
  const { figures, care, inventory, poolUuid, promisedBytes, excludedDisks } = view;
  const { volumes, snapshots } = counts(view.thins.values());
  const isOpen = view.status.kind === "ready";
  return {
    backing: description.backing.kind,
    ...(poolUuid === undefined ? {} : { poolUUID: poolUuid }),
    ...(isOpen ? { volumes, snapshots, promisedBytes, promised: formatQuantity(promisedBytes) } : {}),
    ...(inventory === undefined ? {} : { orphans: inventory.orphans.length }),
    ...(excludedDisks === undefined ? {} : { excludedDisks: excludedDisks.slice(0, MOST_EXCLUDED).map(({ path, reason }) => ({ path, reason })) }),
    ...(figures === undefined ? {} : spaces(figures, care)),
    ...told(isOpen && figures !== undefined ? quantised(availableBytes(description, figures, promisedBytes)) : 0),
    ...(isOpen && figures !== undefined ? { minimumVolumeBytes: minimumVolumeBytes(figures.chunkSize, undefined) } : {}),
  };
}

function counts(thins: Iterable<{ readonly kind: "volume" | "snapshot"; readonly state: string }>): { readonly volumes: number; readonly snapshots: number } {
  let [volumes, snapshots] = [0, 0];
  for (const { kind, state } of thins) {
    if (state !== "ready") continue;
    if (kind === "volume") volumes++;
    else snapshots++;
  }
  return { volumes, snapshots };
}

const spaces = ({ state, chunkSize, data, metadata }: PoolFigures, care: CareReport | undefined): Facts => ({
  state,
  chunkSizeBytes: chunkSize,
  data: spaceOf(data, chunkSize),
  metadata: spaceOf(metadata, BYTES_PER_METADATA_BLOCK),
  ...(care === undefined ? {} : { extensionHeadroomBytes: care.data.headroomBytes }),
});

const told = (available: number): Facts => ({ availableBytes: available, available: formatQuantity(available) });

function spaceOf({ used, total }: { readonly used: number; readonly total: number }, unitBytes: number): NonNullable<Facts["data"]> {
  const [totalBytes, usedBytes] = [total * unitBytes, inPercents(used, total) * unitBytes];
  return { totalBytes, usedBytes, total: formatQuantity(totalBytes), used: formatQuantity(usedBytes) };
}

/** Up to whole percents: not every block that is written changes the object. */
function inPercents(used: number, total: number): number {
  const step = Math.max(total / 100, 1);
  return Math.min(Math.ceil(Math.ceil(used / step) * step), total);
}

/**
 * Down to the coarser of 1 GiB and about 1 %: what is told can be had, and does not change with each volume. Of less than
 * 1 GiB, in small steps, since it may still be enough.
 */
export function quantised(available: number): number {
  const step = available < GiB ? 16 * MiB : Math.max(GiB, 2 ** Math.floor(Math.log2(available / 64)));
  return Math.floor(available / step) * step;
}
