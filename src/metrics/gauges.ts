import { Counter, Gauge, type Registry } from "prom-client";

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/** What is read anew at each scrape: what is no longer said is gone, as a pool's figures while it does not serve. */
export function gaugeOf(registry: Registry, name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const [labels, value] of samples()) gauge.set(labels, value);
    },
  });
}

/** A count that somebody else keeps. */
export function counterOf(registry: Registry, name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>): void {
  const counter = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [labels, value] of samples()) counter.inc(labels, value);
    },
  });
}
