import type { Logger } from "../logger.ts";
import type { NodeVolumes, Volumes } from "../volumes/volumes.ts";
import { Attachments } from "./attach.ts";
import { controller } from "./controller.ts";
import { groupController } from "./group-controller.ts";
import { implement, type ObserveCall } from "./handler.ts";
import { identity } from "./identity.ts";
import { node } from "./node.ts";
import type { CsiOptions } from "./options.ts";
import { GrpcServer } from "./server.ts";

export interface CsiParts {
  readonly volumes: Volumes;
  readonly nodeVolumes: NodeVolumes;
  readonly logger: Logger;
  readonly version: string;
  readonly options: CsiOptions;
  readonly observe?: ObserveCall | undefined;
}

/** All of CSI for one machine on one socket: what `dmthin standalone` serves. */
export function createCsiServer({ volumes, nodeVolumes, logger, version, options, observe }: CsiParts): GrpcServer {
  const attachments = options.attach === undefined ? undefined : new Attachments(nodeVolumes.node, options.attach.limit);
  return new GrpcServer((inFlight) => {
    const surroundings = { logger, inFlight, observe };
    return [
      implement("csi.v1.Identity", identity({ version, health: () => nodeVolumes.health() }), surroundings),
      implement("csi.v1.Controller", controller({ volumes, attachments, options }), surroundings),
      implement("csi.v1.GroupController", groupController(volumes), surroundings),
      implement("csi.v1.Node", node({ nodeVolumes, options, condition: async (id, call) => (await volumes.get(id, call)).condition }), surroundings),
    ];
  });
}
