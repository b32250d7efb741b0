import type { Pool } from "./pool/pool.ts";

export interface Readiness {
  readonly ready: boolean;
  readonly message: string;
}

/**
 * Whether the controller may count on this node. It is ready once the pools that it had are back; from then on how each is
 * stands in its own object, and one that is being made, or looked at anew, takes no room away from the others. So it is
 * with one that is refused, or whose disk comes up late. One whose lock another driver has means that this is a second
 * driver of the node.
 */
export class NodeReadiness {
  #wasReady = false;

  of(pools: Iterable<Pool>, { isServing, isSynced }: { readonly isServing: boolean; readonly isSynced: boolean }): Readiness {
    if (!isServing) return { ready: false, message: "the driver is being started, or ends" };
    if (!isSynced) return { ready: false, message: "the API server has not told yet what there is to do" };
    const waiting = Array.from(pools).filter(
      ({ view: { status } }) => status.kind === "locked" || (!this.#wasReady && status.kind === "recovering" && status.reason === undefined),
    );
    this.#wasReady ||= waiting.length === 0;
    if (waiting.length === 0) return { ready: true, message: "the node serves" };
    const said = waiting.map(
      ({ description: { name }, view: { status } }) => `pool ${name} ${status.kind === "locked" ? "is another process's" : "is being recovered"}`,
    );
    return { ready: false, message: said.join("; ") };
  }
}
