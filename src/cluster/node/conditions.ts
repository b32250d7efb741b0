import { stateTrouble } from "../../pool/pool-state.ts";
import type { Pool } from "../../pool/pool.ts";
import { poolCondition } from "../../volumes/condition.ts";
import type { ObjectCondition } from "../objects/meta.ts";

export type Told = Pick<ObjectCondition, "type" | "status" | "reason" | "message">;

/** With each of these in place of the one of its type. One that says what it said stays as it was, its time too. */
export function withConditions(conditions: readonly ObjectCondition[], told: readonly Told[], now: Date): readonly ObjectCondition[] {
  const known = new Map(conditions.map((each) => [each.type, each]));
  for (const { type, status, reason, message } of told) {
    const before = known.get(type);
    if (before?.status === status && before.reason === reason && before.message === message) continue;
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now.toISOString();
    known.set(type, { type, status, reason, message, lastTransitionTime });
  }
  return [...known.values()];
}

export const withoutConditions = (conditions: readonly ObjectCondition[], types: readonly string[]): readonly ObjectCondition[] =>
  conditions.filter(({ type }) => !types.includes(type));

/**
 * Whether the pool serves what it holds. undefined: nothing is said now, and what was said stays, as while a driver
 * starts: the volumes in use go on without it. Free space is told by the pool's own object, since it changes all the time.
 */
export function poolHealth(pool: Pool): Told | undefined {
  const reason = troubleOf(pool);
  if (reason === undefined) return undefined;
  if (reason === "none") return { type: "PoolHealthy", status: "True", reason: "PoolServes", message: `pool ${pool.description.name} serves` };
  return { type: "PoolHealthy", status: "False", reason, message: poolCondition(pool).message };
}

function troubleOf({ view: { status, stuck, figures } }: Pool): string | undefined {
  switch (status.kind) {
    case "locked":
      return undefined;
    case "recovering":
      return status.reason === undefined ? undefined : "PoolNotStarted";
    case "refused":
      return "PoolRefused";
    case "ready":
      if (stuck !== undefined) return "PoolStuck";
      return figures === undefined ? undefined : stateReason(figures.state);
  }
}

function stateReason(state: string): string {
  const trouble = stateTrouble(state);
  return trouble === undefined ? "none" : `Pool${trouble.reason}`;
}

/** "pool-low" is PoolLow: reasons are one word. */
export const reasonOf = (code: string): string =>
  code
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
