import { DmthinError, type ErrorCode } from "../../errors.ts";

const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "in-progress",
  "pool-not-ready",
  "pools-unknown",
  "pool-stuck",
  "deadline",
  "cancelled",
  "shutting-down",
  "api-unreachable",
  "api-conflict",
  "api-refused",
  "api-expired",
]);

/**
 * Whether the same may go well a moment later, so that it is tried again and is no answer. All else is final: it waits for
 * another question. What is no DmthinError is a fault of ours, and nothing that anybody who asks could mend: tried again.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof DmthinError)) return true;
  const { facts } = error;
  if (facts.code === "program-failed") return facts.timedOut || facts.aborted;
  return PASSING.has(facts.code);
}
