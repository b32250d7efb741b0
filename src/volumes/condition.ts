import { DmthinError } from "../errors.ts";
import { requireRoom } from "../pool/admission.ts";
import { stateTrouble } from "../pool/pool-state.ts";
import type { Pool, PoolView } from "../pool/pool.ts";
import type { Condition } from "./volumes.ts";

type Seen = Pick<Pool, "description" | "view">;

const healthy = (message: string): Condition => ({ abnormal: false, message });
const abnormal = (message: string): Condition => ({ abnormal: true, message });

/** Whether the pool serves its volumes. One that only takes no new ones is healthy, and says so. */
export function poolCondition({ description, view }: Seen): Condition {
  const trouble = troubleOf(view);
  if (trouble !== undefined) return abnormal(`pool ${description.name} ${trouble}`);
  const shortage = shortageOf({ description, view });
  return healthy(shortage ?? `pool ${description.name} serves`);
}

/** A volume is as well as its pool, if its thin device is there. */
export function volumeCondition(pool: Seen, id: string): Condition {
  const discrepancy = pool.view.inventory?.discrepancies.find((each) => each.id === id);
  if (discrepancy !== undefined) {
    const what = discrepancy.reason === "missing" ? "is missing from the pool's metadata" : "was made by something else than this volume's creation";
    return abnormal(`thin device ${discrepancy.number} of ${id} ${what}`);
  }
  const { abnormal: isAbnormal, message } = poolCondition(pool);
  return isAbnormal ? abnormal(message) : healthy(`the volume is healthy, and ${message}`);
}

/**
 * Of a node: abnormal when a pool does not serve at all. One that is full or read-only still serves what it holds, and
 * starting the driver anew would not change that: so it is told, and is not abnormal here.
 */
export function nodeCondition(pools: readonly Seen[]): Condition {
  const conditions = pools.map((pool) => ({ ...poolCondition(pool), serves: serves(pool.view) }));
  const idle = conditions.filter((condition) => !condition.serves);
  return { abnormal: idle.length > 0, message: (idle.length > 0 ? idle : conditions).map(({ message }) => message).join("; ") };
}

const serves = ({ status, figures, stuck }: PoolView): boolean =>
  status.kind === "ready" && stuck === undefined && figures !== undefined && figures.state !== "Fail" && figures.state !== "Error";

function troubleOf({ status, figures, stuck }: PoolView): string | undefined {
  switch (status.kind) {
    case "recovering":
      return status.reason === undefined ? "is being recovered" : `cannot be started: ${status.reason}; it is tried again`;
    case "locked":
      return "waits for its lock, which another process has";
    case "refused":
      return `is not used: ${status.reason}; ${status.remedy}`;
    case "ready":
      if (stuck !== undefined) return `is stuck: ${stuck.operation} has waited for the kernel since ${stuck.since.toISOString()}`;
      return figures === undefined ? "has not told its figures yet" : stateTrouble(figures.state)?.words;
  }
}

function shortageOf({ description, view: { figures } }: Seen): string | undefined {
  if (figures === undefined) return undefined;
  try {
    requireRoom(description, figures);
    return undefined;
  } catch (error) {
    if (error instanceof DmthinError) return error.message;
    throw error;
  }
}
