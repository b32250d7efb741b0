import { nodeLabel } from "../volumes/node-label.ts";
import type { TopologyWanted } from "../volumes/volumes.ts";
import type { Topology, TopologyRequirement } from "./generated/csi.ts";
import type { Problems } from "./parse/problems.ts";

/** Where a volume can be reached: on its node. */
export const TOPOLOGY_KEY = "topology.dmthin.io/node";

export const topologyOf = (node: string): Topology => ({ segments: { [TOPOLOGY_KEY]: nodeLabel(node) } });

/** The node a topology names, by its label; undefined when it names none. */
export const nodeOf = (topology: Topology): string | undefined => topology.segments[TOPOLOGY_KEY];

/** Undefined: anywhere. Other drivers' keys are passed over, but a requirement of which nothing is left cannot be met. */
export function parseTopology(requirement: TopologyRequirement | null, problems: Problems): TopologyWanted | undefined {
  if (requirement === null || requirement.requisite.length + requirement.preferred.length === 0) return undefined;
  const [requisite, preferred] = [requirement.requisite.map(nodeOf), requirement.preferred.map(nodeOf)].map((nodes) =>
    nodes.filter((node) => node !== undefined),
  );
  if (requirement.requisite.length > 0 && requisite?.length === 0)
    problems.add(`accessibility_requirements.requisite never names ${TOPOLOGY_KEY}, the one key of this driver`);
  return { requisite: requisite ?? [], preferred: preferred ?? [] };
}
