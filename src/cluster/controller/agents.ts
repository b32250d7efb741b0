import type { Cache } from "../api/cache.ts";
import type { AgentPod, ClusterNode } from "../objects/core.ts";
import { isTerminating } from "../objects/meta.ts";

/** On which nodes `dmthin node` serves: by the condition of its pods. */
export class Agents {
  readonly #pods: Cache<AgentPod>;
  readonly #nodes: Cache<ClusterNode>;

  constructor(pods: Cache<AgentPod>, nodes: Cache<ClusterNode>) {
    this.#pods = pods;
    this.#nodes = nodes;
  }

  /** Why the driver there cannot begin anything, in words; undefined: it can. */
  trouble(node: string): string | undefined {
    const pods = [...this.#pods.items.values()].filter(({ spec }) => spec.nodeName === node);
    if (pods.some(isReady)) return undefined;
    const [pod] = pods;
    return pod === undefined ? "no dmthin pod runs there" : `its dmthin pod ${pod.metadata.name} is not ready`;
  }

  /** Whether nothing new may be put there, by an administrator's word. */
  isCordoned(node: string): boolean {
    return this.#nodes.items.get(node)?.spec.unschedulable === true;
  }

  onChange(listener: () => void): () => void {
    return this.#pods.onChange(() => listener());
  }
}

/** One that is ending has stopped accepting, whatever its condition still says. */
const isReady = (pod: AgentPod): boolean => !isTerminating(pod) && pod.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
