import type { ListenAddress } from "./config/listen-address.ts";
import { DmthinError } from "./errors.ts";
import type { Metrics, MetricsParts } from "./metrics/metrics.ts";

/** A file of its own in the bundle: its library is only read and kept where it is used. */
const METRICS = import.meta.url.endsWith(".ts") ? new URL("./metrics/metrics.ts", import.meta.url) : new URL("./metrics.js", import.meta.url);

/** undefined where nothing is to listen. */
export async function loadMetrics({
  listen,
  ...parts
}: Omit<MetricsParts, "listen"> & { readonly listen: ListenAddress | undefined }): Promise<Metrics | undefined> {
  if (listen === undefined) return undefined;
  const { createMetrics } = (await import(METRICS.href)) as { readonly createMetrics: (all: MetricsParts) => Metrics };
  return createMetrics({ ...parts, listen });
}

/** Throws "path-unusable" where the address cannot be had. */
export async function listenFor(metrics: Metrics | undefined, address: ListenAddress | undefined): Promise<void> {
  await metrics?.listen().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DmthinError({ code: "path-unusable", path: `metrics.listen ${address?.host ?? ""}:${address?.port ?? ""}`, reason }, { cause });
  });
}
