import type { Filesystems } from "../filesystem/filesystems.ts";
import type { Logger } from "../logger.ts";
import type { Capacities } from "./capacity.ts";
import type { Operations } from "./operations.ts";
import type { PoolSet } from "./pool-set.ts";

/** What the operations on this node's volumes work with. */
export interface Parts {
  readonly node: string;
  readonly pools: PoolSet;
  readonly filesystems: Filesystems;
  readonly operations: Operations;
  readonly capacities: Capacities;
  readonly logger: Logger;
}
