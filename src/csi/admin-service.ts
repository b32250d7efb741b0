import type { Logger } from "../logger.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolUpkeep } from "../volumes/upkeep.ts";
import { trimHandlers, type Trims } from "./admin-trim.ts";
import { upkeepHandlers } from "./admin-upkeep.ts";
import { refreshed, toPoolInfo } from "./admin-info.ts";
import { listVolumes } from "./admin-volumes.ts";
import { implement, type Handlers } from "./handler.ts";
import { GrpcServer } from "./server.ts";

export interface AdminParts {
  readonly pools: () => readonly Pool[];
  readonly upkeep: PoolUpkeep;
  readonly trims: Trims;
  readonly version: string;
  readonly node: string;
}

/** The operator's socket. */
export const createAdminServer = (parts: AdminParts & { readonly logger: Logger }): GrpcServer =>
  new GrpcServer((inFlight) => [implement("dmthin.admin.v1.Admin", admin(parts), { logger: parts.logger, inFlight })]);

const admin = ({ pools, upkeep, trims, version, node }: AdminParts): Handlers<"dmthin.admin.v1.Admin"> => ({
  ...upkeepHandlers(upkeep),
  ...trimHandlers(trims),
  Info: async () => ({ driverVersion: version, node, pools: (await refreshed(pools())).map(toPoolInfo) }),
  Volumes: async (request) => listVolumes(pools(), request),
});
