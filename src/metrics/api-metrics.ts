import { Counter, Histogram, type Registry } from "prom-client";

/** A request to the API server whose answer has begun. Verb and kind are of a few that the driver knows, `code` HTTP's or "unreachable". */
export interface ApiRequestSeen {
  readonly verb: string;
  readonly kind: string;
  readonly code: string;
  readonly seconds: number;
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the driver asks of its API server. */
export class ApiMetrics {
  readonly #requests: Counter<"verb" | "kind" | "code">;
  readonly #duration: Histogram<"verb">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: "dmthin_api_requests_total",
      help: "Requests to the Kubernetes API server, by what was asked, of which kind of object, and HTTP's code; unreachable where none was answered. A watch is one.",
      labelNames: ["verb", "kind", "code"],
      registers,
    });
    this.#duration = new Histogram({
      name: "dmthin_api_request_duration_seconds",
      help: "How long requests to the Kubernetes API server took to be answered.",
      labelNames: ["verb"],
      buckets: BUCKETS,
      registers,
    });
  }

  observe({ verb, kind, code, seconds }: ApiRequestSeen): void {
    this.#requests.inc({ verb, kind, code });
    this.#duration.observe({ verb }, seconds);
  }
}
