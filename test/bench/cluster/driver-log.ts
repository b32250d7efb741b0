import type { Cluster } from "../../lab/cluster/cluster.ts";
import { NAMESPACE } from "../../e2e/installation.ts";

/** A line of the driver's log. */
interface Line {
  readonly message?: string;
  readonly method?: string;
  readonly volumeId?: string;
  readonly durationMs?: number;
  readonly timestamp: string;
}

/** A call that the driver has answered with success. */
export interface AnsweredCall {
  readonly method: string;
  readonly volumeId: string;
  readonly durationMs: number;
}

/** Of all of the driver's pods, as far as their present containers have told. */
export async function answeredCalls(cluster: Cluster): Promise<readonly AnsweredCall[]> {
  const lines = await linesOf(cluster, ["--selector=app.kubernetes.io/component in (controller, node)", "--tail=-1"]);
  return lines.flatMap(({ message, method, volumeId, durationMs }) =>
    message === "answered" && method !== undefined && volumeId !== undefined && durationMs !== undefined ? [{ method, volumeId, durationMs }] : [],
  );
}

/** When the container's first line was written, in milliseconds since 1970 by its node's clock. */
export async function firstLineAt(cluster: Cluster, pod: string): Promise<number> {
  const [first] = await linesOf(cluster, [pod]);
  if (first === undefined) throw new Error(`${pod} has no log`);
  return Date.parse(first.timestamp);
}

async function linesOf(cluster: Cluster, which: readonly string[]): Promise<readonly Line[]> {
  const text = await cluster.kubectl(["logs", "--namespace", NAMESPACE, "--container=dmthin", ...which]);
  return text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
}
