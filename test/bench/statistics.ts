/** One operation's times, in milliseconds. */
export interface Operation {
  readonly name: string;
  readonly n: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

export function median(times: readonly number[]): number {
  return quantile(
    times.toSorted((left, right) => left - right),
    0.5,
  );
}

const round = (value: number): number => Number(value.toFixed(3));

export function summarise(name: string, times: readonly number[]): Operation {
  const sorted = times.toSorted((left, right) => left - right);
  return { name, n: times.length, p50Ms: round(quantile(sorted, 0.5)), p99Ms: round(quantile(sorted, 0.99)) };
}

/** Runs `operation` for 0 to n - 1, one after the other. @returns how long each took, in milliseconds */
export async function timed(n: number, operation: (index: number) => unknown): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < n; index++) {
    const begun = performance.now();
    await operation(index);
    times.push(performance.now() - begun);
  }
  return times;
}
