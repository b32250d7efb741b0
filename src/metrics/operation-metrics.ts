import { Counter, Histogram, type Registry } from "prom-client";

/** A call that was answered. `method` is one of the services' own, `code` gRPC's name: neither is chosen by callers. */
export interface AnsweredCall {
  readonly method: string;
  readonly code: string;
  readonly seconds: number;
}

/** From a statistic, which asks nobody, to a mkfs on a slow disk. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How often each operation was asked for, with what result, and how long it took. */
export class OperationMetrics {
  readonly #answered: Counter<"method" | "code">;
  readonly #duration: Histogram<"method">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#answered = new Counter({
      name: "dmthin_operations_total",
      help: "CSI calls that were answered, by the call's name and gRPC's code.",
      labelNames: ["method", "code"],
      registers,
    });
    this.#duration = new Histogram({
      name: "dmthin_operation_duration_seconds",
      help: "How long CSI calls took, whatever their result.",
      labelNames: ["method"],
      buckets: BUCKETS,
      registers,
    });
  }

  observe({ method, code, seconds }: AnsweredCall): void {
    this.#answered.inc({ method, code });
    this.#duration.observe({ method }, seconds);
  }
}
