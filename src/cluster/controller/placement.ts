import { DmthinError } from "../../errors.ts";
import type { TopologyWanted } from "../../volumes/volumes.ts";

/** A node, as placement sees it. */
export interface Candidate {
  readonly node: string;
  /** What the node is called in topologies. */
  readonly topology: string;
  /** Why nothing new can be made there, in words. */
  readonly obstacle: string | undefined;
  /** What the pool there can still take, as far as it has told. */
  readonly availableBytes: number;
}

export interface PlacementWanted {
  readonly pool: string;
  /** At least this much; 0 when no size was asked for. */
  readonly sizeBytes: number;
  readonly topology: TopologyWanted | undefined;
  /** The claim's: its pod was scheduled by what fits there, so that the volume is made there or nowhere. */
  readonly selectedNode: string | undefined;
}

/**
 * The node for a blank volume. A selected node is taken or refused; else the preferred nodes are walked; without any
 * requirement, the node with the most room is taken. Room is what the nodes have told, some seconds ago and rounded down:
 * where none seems to have enough, the first that serves is asked, which knows exactly. Throws "no-node".
 */
export function place(wanted: PlacementWanted, candidates: readonly Candidate[]): string {
  const { pool, sizeBytes, topology, selectedNode } = wanted;
  const allowed =
    topology === undefined || topology.requisite.length === 0 ? candidates : candidates.filter((each) => topology.requisite.includes(each.topology));
  if (selectedNode !== undefined) return requireSelected(pool, selectedNode, topology, candidates);
  const ordered = inOrder(topology?.preferred ?? [], allowed);
  const serving = ordered.filter(({ obstacle }) => obstacle === undefined);
  const chosen = serving.find(({ availableBytes }) => availableBytes >= sizeBytes) ?? serving[0];
  if (chosen !== undefined) return chosen.node;
  throw noNode(pool, ordered, topology);
}

/** What is preferred in its order, then the others, those with the most room first. */
function inOrder(preferred: readonly string[], candidates: readonly Candidate[]): readonly Candidate[] {
  const first = preferred.flatMap((topology) => candidates.find((each) => each.topology === topology) ?? []);
  const others = candidates.filter((each) => !first.includes(each));
  return [...first, ...others.toSorted((left, right) => right.availableBytes - left.availableBytes || (left.node < right.node ? -1 : 1))];
}

/** The provisioner puts the selected node first among the preferred. */
function requireSelected(pool: string, selectedNode: string, topology: TopologyWanted | undefined, candidates: readonly Candidate[]): string {
  const [first] = topology?.preferred ?? [];
  const selected = first === undefined ? candidates.find(({ node }) => node === selectedNode) : candidates.find((each) => each.topology === first);
  if (selected === undefined) throw new DmthinError({ code: "no-node", pool, reasons: [`node ${first ?? selectedNode} has no such pool`] });
  if (selected.obstacle !== undefined) throw noNode(pool, [selected], topology);
  return selected.node;
}

function noNode(pool: string, looked: readonly Candidate[], topology: TopologyWanted | undefined): DmthinError {
  const reasons = looked.map(({ node, obstacle }) => `node ${node}: ${obstacle}`);
  const none = topology === undefined ? "no node has it" : `none of ${[...new Set([...topology.preferred, ...topology.requisite])].join(", ")} has it`;
  return new DmthinError({ code: "no-node", pool, reasons: reasons.length === 0 ? [none] : reasons });
}
