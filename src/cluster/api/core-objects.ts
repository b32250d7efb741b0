import { isError } from "../../errors.ts";
import { CLAIM, type Claim, type ClusterNode } from "../objects/core.ts";
import type { ApiServer, ObjectsApi } from "./objects-api.ts";

/** A claim, live; undefined when there is none. */
export const getClaim = async (server: ApiServer, namespace: string, name: string, signal?: AbortSignal): Promise<Claim | undefined> =>
  server.objects(CLAIM, namespace).get(name, signal);

/** Nodes change often: a removal that meets other changes is tried so many times. */
const TRIES = 5;

/** Takes the taints of that key, of any effect, from a node. Answers whether it had one; false when the node is gone. */
export async function removeTaint(nodes: ObjectsApi<ClusterNode>, nodeName: string, key: string, signal?: AbortSignal): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const node = await nodes.get(nodeName, signal);
    if (node === undefined) return false;
    const { metadata, spec } = node;
    const { taints } = spec;
    const others = taints.filter((taint) => taint.key !== key);
    if (others.length === taints.length) return false;
    const { uid, resourceVersion } = metadata;
    try {
      // The version goes with it: the list is replaced whole, and another's taint may have come meanwhile.
      return (await nodes.patch(nodeName, { spec: { taints: others } }, { preconditions: { uid, resourceVersion } }, signal)) !== undefined;
    } catch (error) {
      if (!isError(error, "api-conflict") || tries === TRIES) throw error;
    }
  }
}
