import { createHash } from "node:crypto";

/** Of a label's value. Source: apimachinery, LabelValueMaxLength. */
const MAXIMUM = 63;
const HASH = 16;

/**
 * How a node is called in the topology key `topology.dmthin.io/node`: by its name, or where that is too long for a label
 * by its beginning and a hash of it. Never another for the same name: the kubelet refuses a changed value.
 */
export function nodeLabel(node: string): string {
  if (node.length <= MAXIMUM) return node;
  return `${node.slice(0, MAXIMUM - HASH - 1)}-${createHash("sha256").update(node).digest("hex").slice(0, HASH)}`;
}
