import type { DmthinError } from "../../errors.ts";
import { failureOf } from "../objects/failure.ts";
import { poolHealth, reasonOf, withConditions, withoutConditions, type Told } from "./conditions.ts";
import type { Carrier } from "./carrier.ts";
import type { PlacedObject, PlacedStatus } from "../objects/placed-object.ts";
import type { PoolSeen } from "./pool-seen.ts";

/** A status as it is to be: the common part, and what the catalogue tells of its kind. */
export type StatusWanted = PlacedStatus & Readonly<Record<string, unknown>>;

interface Seen<Item extends PlacedObject> {
  readonly carrier: Carrier<Item>;
  readonly item: Item;
  readonly pool: PoolSeen;
  readonly now: Date;
}

const available = (message: string): Told => ({ type: "Ready", status: "True", reason: "Available", message });
const notReady = (reason: string, message: string): Told => ({ type: "Ready", status: "False", reason, message });

/** What is there. `answers`: the spec was carried out as it is now. */
export function statusOfHeld<Item extends PlacedObject>(seen: Seen<Item>, { answers }: { readonly answers: boolean }): StatusWanted {
  const { carrier, item, pool, now } = seen;
  const { status, metadata } = item;
  // What another pool of that name has under the same id is not it, and nothing may ever make it seem so.
  const isItsPool = pool.kind === "open" && (status.poolUUID === undefined || status.poolUUID === pool.uuid);
  if (!isItsPool) return withTold(status, [healthOf(seen)], now);
  const facts = carrier.facts(pool.pool.view, item);
  if (facts === undefined) return { ...status };
  const damage = carrier.damage(pool.pool.view, item);
  const lost: Told | undefined = damage === undefined ? undefined : { type: "Lost", status: "True", reason: "ThinDeviceMissing", message: damage };
  const told = [...(damage === undefined ? [available(`it is in pool ${item.spec.poolName}`)] : [notReady("Lost", damage)]), lost, healthOf(seen)];
  return {
    ...withTold({ ...status, conditions: lost === undefined ? withoutConditions(status.conditions, ["Lost"]) : status.conditions }, told, now),
    ...facts,
    phase: "Ready",
    poolUUID: pool.uuid,
    ...(answers ? { observedGeneration: metadata.generation, failure: undefined } : {}),
  };
}

/** It was made, and is not there any more, or its pool is not: said, and nothing else is done. */
export function statusOfLost<Item extends PlacedObject>({ item, now }: Seen<Item>, reason: "absent" | "other-pool"): StatusWanted {
  const { spec, status } = item;
  const message =
    reason === "absent"
      ? `pool ${spec.poolName} is open and does not have it: it was deleted there or is lost, and is not made again`
      : `the pool ${spec.poolName} of this node is another one than its own, ${status.poolUUID ?? ""}: bring that pool's disks back`;
  const word = reason === "absent" ? "Absent" : "OtherPool";
  return withTold(status, [notReady(word, message), { type: "Lost", status: reason === "absent" ? "True" : "Unknown", reason: word, message }], now);
}

/** Final for this generation. What was made stays Ready: only what was asked of it has failed. */
export function statusOfFailure<Item extends PlacedObject>(seen: Seen<Item>, error: DmthinError): StatusWanted {
  const { item, pool, now } = seen;
  const { generation } = item.metadata;
  const isMade = item.status.phase === "Ready";
  const before: StatusWanted = isMade ? statusOfHeld(seen, { answers: false }) : { ...item.status };
  const told = isMade ? [] : [notReady(reasonOf(error.facts.code), error.message)];
  return {
    ...withTold(before, told, now),
    phase: isMade ? "Ready" : "Failed",
    ...(pool.kind === "open" && item.status.poolUUID === undefined ? { poolUUID: pool.uuid } : {}),
    observedGeneration: generation,
    failure: failureOf(error, generation),
  };
}

/** Nothing is decided: it is tried again. Told once it has lasted, for who wonders. */
export function statusOfWaiting<Item extends PlacedObject>(seen: Seen<Item>, error: DmthinError): StatusWanted {
  const { item, now } = seen;
  const told = item.status.phase === "Ready" ? [] : [notReady("Waiting", error.message)];
  return withTold(item.status, [...told, healthOf(seen)], now);
}

const healthOf = <Item extends PlacedObject>({ carrier, pool: { pool } }: Seen<Item>): Told | undefined =>
  pool === undefined || !carrier.tellsPoolHealth ? undefined : poolHealth(pool);

const withTold = (status: PlacedStatus, told: readonly (Told | undefined)[], now: Date): StatusWanted => ({
  ...status,
  conditions: withConditions(
    status.conditions,
    told.filter((each) => each !== undefined),
    now,
  ),
});
