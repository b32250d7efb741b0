import { DmthinError } from "../../errors.ts";
import type { Pool } from "../../pool/pool.ts";

/** What can be told of an object's pool on this node. Only an open catalogue proves anything. */
export type PoolSeen =
  | { readonly kind: "closed"; readonly error: DmthinError; readonly pool: Pool | undefined }
  | {
      readonly kind: "open";
      readonly pool: Pool;
      readonly uuid: string;
      /** Nothing is still under way whose caller has given up: what is not there now will not come. */
      readonly isSettled: boolean;
    };

export function seePool(pools: Iterable<Pool>, name: string): PoolSeen {
  const pool = Array.from(pools).find(({ description }) => description.name === name);
  const closed = (error: DmthinError): PoolSeen => ({ kind: "closed", error, pool });
  if (pool === undefined) return closed(notReady(name, "this node has no pool of that name now"));
  const { status, poolUuid, unanswered = 0 } = pool.view;
  switch (status.kind) {
    case "refused":
      return closed(new DmthinError({ code: "pool-refused", pool: name, reason: status.reason, remedy: status.remedy }));
    case "locked":
      return closed(notReady(name, "another process has its lock"));
    case "recovering":
      return closed(notReady(name, status.reason === undefined ? "it is being recovered" : `it cannot be started: ${status.reason}`));
    case "ready":
      return poolUuid === undefined
        ? closed(notReady(name, "it has not told what it holds yet"))
        : { kind: "open", pool, uuid: poolUuid, isSettled: unanswered === 0 };
  }
}

const notReady = (pool: string, reason: string): DmthinError => new DmthinError({ code: "pool-not-ready", pool, reason });
