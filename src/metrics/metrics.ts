import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Registry } from "prom-client";
import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";
import { ApiMetrics, type ApiRequestSeen } from "./api-metrics.ts";
import { gaugeOf } from "./gauges.ts";
import { Measuring } from "./measuring.ts";
import { OperationMetrics, type AnsweredCall } from "./operation-metrics.ts";
import { addPoolMetrics } from "./pool-metrics.ts";
import { volumeMetrics } from "./volume-metrics.ts";

export interface MetricsParts {
  /** undefined: a role that has none. */
  readonly pools: Iterable<Pool> | undefined;
  readonly version: string;
  /** Empty for a role that is on none in particular. */
  readonly node: string;
  /** Of a role under Kubernetes. */
  readonly cluster?: { readonly gauges: readonly OwnGauge[] };
  readonly logger: Logger;
  readonly listen: { readonly host: string; readonly port: number };
  readonly perVolume: boolean;
  /** undefined: what each volume has alone is not measured by itself. */
  readonly exclusiveIntervalMs: number | undefined;
  /** Whether calls are taken and every pool serves, with a sentence. */
  readonly readiness: () => { readonly ready: boolean; readonly message: string };
}

/** A figure of a role's own, read at each scrape. */
export interface OwnGauge {
  readonly name: string;
  readonly help: string;
  readonly value: () => number;
}

/** Loaded by its path: see serve-metrics.ts. */
export const createMetrics = (parts: MetricsParts): Metrics => new Metrics(parts);

/** Scrapers are few; more connections than these are none of theirs. */
const MOST_CONNECTIONS = 32;
const REQUEST_MS = 10_000;
const PAGE_LENGTH = 16_384;

/** /metrics, /healthz and /readyz on one port. Loaded only where it is wanted: its library takes memory. */
export class Metrics {
  readonly registry = new Registry();
  readonly #parts: MetricsParts;
  readonly #operations: OperationMetrics;
  readonly #api: ApiMetrics | undefined;
  readonly #pools: Iterable<Pool>;
  readonly #server: Server;
  readonly #measuring: Measuring | undefined;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    const { pools, version, node, cluster, logger, perVolume, exclusiveIntervalMs: intervalMs } = parts;
    this.#pools = pools ?? [];
    gaugeOf(this.registry, "dmthin_build_info", "The driver: always 1.", ["version", "node"], () => [[{ version, node }, 1]]);
    this.#operations = new OperationMetrics(this.registry);
    this.#api = cluster === undefined ? undefined : new ApiMetrics(this.registry);
    for (const { name, help, value } of cluster?.gauges ?? []) gaugeOf(this.registry, name, help, [], () => [[{}, value()]]);
    if (pools !== undefined) addPoolMetrics(this.registry, pools);
    this.#measuring = pools !== undefined && perVolume && intervalMs !== undefined ? new Measuring({ pools, logger, intervalMs }) : undefined;
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  readonly observe = (call: AnsweredCall): void => this.#operations.observe(call);
  readonly observeRequest = (request: ApiRequestSeen): void => this.#api?.observe(request);

  /** Rejects with Node's error where the address cannot be had. Answers the port, which was drawn when 0 was asked for. */
  async listen(): Promise<number> {
    const { host, port } = this.#parts.listen;
    const bound = Promise.withResolvers<void>();
    this.#server.once("error", bound.reject);
    this.#server.listen(host === "" ? { port } : { host, port }, bound.resolve);
    await bound.promise;
    this.#server.removeListener("error", bound.reject);
    this.#server.on("error", (error) => this.#parts.logger.warn("the metrics' server failed", { error }));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    this.#measuring?.close();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    if (method !== "GET" && method !== "HEAD") return reply(response, 405, "only GET and HEAD are answered");
    switch (url.split("?")[0]) {
      case "/metrics":
        return this.#metrics(response);
      case "/healthz":
        // Whatever a restart would not cure is no reason for one: a pool that is stuck in the kernel would stay so.
        return reply(response, 200, "ok");
      case "/readyz": {
        const { ready, message } = this.#parts.readiness();
        return reply(response, ready ? 200 : 503, message);
      }
      default:
        return reply(response, 404, "there is /metrics, /healthz and /readyz");
    }
  }

  /** Page by page, so that thousands of volumes never are in memory as text all at once. */
  *#pages(head: string): Iterable<string> {
    let page = head;
    for (const line of this.#parts.perVolume && this.#parts.pools !== undefined ? volumeMetrics(this.#pools) : []) {
      page += line;
      if (page.length < PAGE_LENGTH) continue;
      yield page;
      page = "";
    }
    yield page;
  }

  /** All that is exported, as one text. */
  async text(): Promise<string> {
    return [...this.#pages(await this.registry.metrics())].join("");
  }

  async #metrics(response: ServerResponse): Promise<void> {
    try {
      const head = await this.registry.metrics();
      response.writeHead(200, { "content-type": this.registry.contentType });
      await pipeline(Readable.from(this.#pages(head)), response);
    } catch (error) {
      if (response.headersSent) return; // the scraper has gone
      this.#parts.logger.error("the metrics could not be collected", { error });
      reply(response, 500, "the metrics could not be collected: see the driver's log");
    }
  }
}

function reply(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type }).end(text.endsWith("\n") ? text : `${text}\n`);
}
