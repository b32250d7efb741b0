import type { ApiRequest } from "./audit.ts";
import type { AnsweredCall } from "./driver-log.ts";

/** What is called until a pod has its volume. */
const UNTIL_USED = ["CreateVolume", "NodeStageVolume", "NodePublishVolume"];

/** A stretch of the benchmark: what it measured, and when it was, in milliseconds since 1970. */
export interface Phase {
  readonly times: readonly number[];
  readonly begun: number;
  readonly ended: number;
}

export async function phase(work: () => Promise<readonly number[]>): Promise<Phase> {
  const begun = Date.now();
  const times = await work();
  return { times, begun, ended: Date.now() };
}

/** The driver's calls for the volumes that were asked for then: the nodes' clocks may be others. */
export function callsOf(of: Phase, requests: readonly ApiRequest[], calls: readonly AnsweredCall[]): readonly AnsweredCall[] {
  const made = requestsOf(of, requests).filter(({ what }) => what === "create thinvolumes");
  const ids = new Set(made.map(({ name }) => name));
  return calls.filter(({ volumeId, method }) => ids.has(volumeId) && UNTIL_USED.includes(method));
}

export const requestsOf = ({ begun, ended }: Phase, requests: readonly ApiRequest[]): readonly ApiRequest[] =>
  requests.filter((request) => request.begun >= begun && request.begun <= ended);

export const durations = (calls: readonly AnsweredCall[], method: string): readonly number[] =>
  calls.filter((call) => call.method === method).map(({ durationMs }) => durationMs);

/** What the driver's calls for each volume took together. */
export function totals(calls: readonly AnsweredCall[]): readonly number[] {
  const sums = new Map<string, number>();
  for (const { volumeId, durationMs } of calls) sums.set(volumeId, (sums.get(volumeId) ?? 0) + durationMs);
  return Array.from(sums.values());
}
