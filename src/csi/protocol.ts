import { fromJSON } from "@grpc/proto-loader";
import type { ServiceDefinition } from "@grpc/grpc-js";
import adminDescriptor from "./generated/admin.json" with { type: "json" };
import type { AdminService } from "./generated/admin.ts";
import csiDescriptor from "./generated/csi.json" with { type: "json" };
import type { ControllerService, GroupControllerService, IdentityService, NodeService } from "./generated/csi.ts";

/** The services served and asked, by their full name. */
export interface Services {
  readonly "csi.v1.Identity": IdentityService;
  readonly "csi.v1.Controller": ControllerService;
  readonly "csi.v1.GroupController": GroupControllerService;
  readonly "csi.v1.Node": NodeService;
  readonly "dmthin.admin.v1.Admin": AdminService;
}
export type ServiceName = keyof Services;

/** What the generated types are made for: 64-bit numbers and enums as strings, everything there that can be. */
const OPTIONS = { longs: String, enums: String, defaults: true, oneofs: true } as const;

const load = (descriptor: object) => fromJSON(descriptor, OPTIONS);

const definitions = { ...load(csiDescriptor), ...load(adminDescriptor) };

export const definitionOf = (name: ServiceName): ServiceDefinition => definitions[name] as ServiceDefinition;
