import Table from "cli-table3";
import { summarise, type Operation } from "../statistics.ts";

/** What a part of the benchmark has found: rows of times, and figures that are none. */
export interface Findings {
  readonly title: string;
  readonly operations: readonly Operation[];
  /** By a sentence that says what was counted. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Times by what was timed, in milliseconds; what never happened has no row. */
export const rows = (times: Readonly<Record<string, readonly number[]>>): readonly Operation[] =>
  Object.entries(times).flatMap(([name, taken]) => (taken.length === 0 ? [] : [summarise(name, taken)]));

export function table({ title, operations, figures }: Findings): string {
  const times = new Table({ head: [title, "n", "p50 ms", "p99 ms"], colAligns: ["left", "right", "right", "right"], style: { head: [], border: [] } });
  for (const { name, n, p50Ms, p99Ms } of operations) times.push([name, n, p50Ms.toFixed(1), p99Ms.toFixed(1)]);
  return [times.toString(), ...Object.entries(figures).map(([name, value]) => `${name}: ${value}`), ""].join("\n");
}
