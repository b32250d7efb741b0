import { stateTrouble } from "../../pool/pool-state.ts";
import { nodeLabel } from "../../volumes/node-label.ts";
import { nodeThinPoolName, type NodeThinPool } from "../objects/node-thin-pool.ts";
import type { ControllerParts } from "./parts.ts";
import type { Candidate } from "./placement.ts";

/** Why a pool there takes nothing new, in words. */
export function poolObstacle(pool: NodeThinPool | undefined): string | undefined {
  if (pool === undefined) return "it has no such pool";
  const { phase, state } = pool.status;
  if (phase !== "Ready") return describePhase(pool.status);
  const trouble = state === undefined ? undefined : stateTrouble(state);
  return trouble === undefined ? undefined : `it ${trouble.words}`;
}

/** Why nothing can be begun there, in words: nobody would take it on. What the pool's figures say is the node's to judge. */
export function troubleAt({ agents, nodePools }: ControllerParts, { nodeName, poolName }: Place): string | undefined {
  const status = nodePools.cache.items.get(nodeThinPoolName(poolName, nodeName))?.status;
  const lack = status === undefined ? `it has no pool ${poolName}` : status.phase === "Ready" ? undefined : describePhase(status);
  return agents.trouble(nodeName) ?? lack;
}

const describePhase = ({ phase, message }: NodeThinPool["status"]): string => `its pool is ${phase.toLowerCase()}${message === "" ? "" : ` (${message})`}`;

export interface Place {
  readonly nodeName: string;
  readonly poolName: string;
}

/** Each node that has the pool, with what there is to say against it: the one filter of placement and of capacity. */
export function candidatesOf({ nodePools, agents }: ControllerParts, poolName: string): readonly Candidate[] {
  return [...nodePools.cache.items.values()]
    .filter(({ spec }) => spec.poolName === poolName)
    .map((pool) => {
      const { nodeName: node } = pool.spec;
      const cordoned = agents.isCordoned(node) ? "it is cordoned" : undefined;
      const obstacle = agents.trouble(node) ?? cordoned ?? poolObstacle(pool);
      return { node, topology: nodeLabel(node), obstacle, availableBytes: obstacle === undefined ? (pool.status.availableBytes ?? 0) : 0 };
    });
}
