import type { Sample } from "./gauges.ts";

/**
 * A gauge in Prometheus' text format, line by line. For what has a line for each volume: prom-client keeps all of it in
 * memory from one scrape to the next. Source: prometheus.io, "Exposition formats", text-based format.
 */
export function* expose(name: string, help: string, samples: Iterable<Sample>): Iterable<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
  for (const [labels, value] of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
    yield `${name}{${pairs.join(",")}} ${value}\n`;
  }
}

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
