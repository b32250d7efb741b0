import type { Logger } from "../../logger.ts";
import type { Locks } from "../../volumes/locks.ts";
import type { Call } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import type { ClusterNode } from "../objects/core.ts";
import type { NodeThinPool } from "../objects/node-thin-pool.ts";
import type { ThinPool } from "../objects/thin-pool.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { ThinSnapshot } from "../objects/thin-snapshot.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import type { Agents } from "./agents.ts";
import type { Claims } from "./claims.ts";

/** What the controller's operations work with. */
export interface ControllerParts {
  readonly volumes: Store<ThinVolume>;
  readonly snapshots: Store<ThinSnapshot>;
  readonly groups: Store<ThinSnapshotGroup>;
  readonly pools: Store<ThinPool>;
  readonly nodePools: Store<NodeThinPool>;
  readonly nodes: Store<ClusterNode>;
  readonly agents: Agents;
  readonly claims: Claims;
  /** Spares requests; what excludes others is the object itself. */
  readonly locks: Locks;
  /** How long a Node object must be gone before its volumes may be deleted without it. */
  readonly nodeMissingForMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Resolves when all caches have had their first lists; rejects as the call ends. */
  synced(call: Call): Promise<void>;
}
