import type { Logger } from "../logger.ts";
import type { Condition, NodeVolumes, Volumes } from "../volumes/volumes.ts";
import { Attachments } from "./attach.ts";
import { controller, type ControllerParts } from "./controller.ts";
import { groupController } from "./group-controller.ts";
import { implement, type BoundService, type ObserveCall, type Surroundings } from "./handler.ts";
import { identity } from "./identity.ts";
import { node } from "./node.ts";
import type { CsiOptions } from "./options.ts";
import { GrpcServer } from "./server.ts";

interface ServerParts {
  readonly logger: Logger;
  readonly version: string;
  readonly observe?: ObserveCall | undefined;
}

export interface CsiParts extends ServerParts {
  readonly volumes: Volumes;
  readonly nodeVolumes: NodeVolumes;
  readonly options: CsiOptions;
}

export interface ControllerServerParts extends ServerParts {
  readonly volumes: Volumes;
  readonly options: CsiOptions;
  /** Whether a node has this driver. */
  readonly isNode: (node: string) => boolean;
  /** For Probe: from memory. */
  readonly health: () => Condition;
}

export interface NodeServerParts extends ServerParts {
  readonly nodeVolumes: NodeVolumes;
  /** Knows how this node's volumes are. */
  readonly volumes: Pick<Volumes, "get">;
  readonly maxVolumesPerNode: number;
  readonly options: Pick<CsiOptions, "alpha">;
  readonly health: () => Condition;
}

/** All of CSI for one machine on one socket: what `dmthin standalone` serves. */
export function createCsiServer(parts: CsiParts): GrpcServer {
  const { nodeVolumes, options } = parts;
  const health = () => nodeVolumes.health();
  return serve(parts, (surroundings) => [
    implement("csi.v1.Identity", identity({ version: parts.version, health }), surroundings),
    ...controllerServices({ ...parts, health, isNode: (name) => name === nodeVolumes.node, isScheduled: false }, surroundings),
    nodeService({ ...parts, health, maxVolumesPerNode: options.attach?.limit ?? 0 }, surroundings),
  ]);
}

/** What the sidecars ask: what `dmthin controller` serves. */
export const createControllerServer = (parts: ControllerServerParts): GrpcServer =>
  serve(parts, (surroundings) => [
    implement("csi.v1.Identity", identity(parts), surroundings),
    ...controllerServices({ ...parts, isScheduled: true }, surroundings),
  ]);

/** What the kubelet asks: what `dmthin node` serves. Its Identity names the controller's services too: it speaks of the whole driver. */
export const createNodeServer = (parts: NodeServerParts): GrpcServer =>
  serve(parts, (surroundings) => [implement("csi.v1.Identity", identity(parts), surroundings), nodeService(parts, surroundings)]);

const serve = ({ logger, observe }: ServerParts, services: (surroundings: Surroundings) => readonly BoundService[]): GrpcServer =>
  new GrpcServer((inFlight) => services({ logger, inFlight, observe }));

function controllerServices(
  { volumes, options, isNode, isScheduled }: ControllerServerParts & Pick<ControllerParts, "isScheduled">,
  surroundings: Surroundings,
): readonly BoundService[] {
  const attachments = options.attach === undefined ? undefined : new Attachments(isNode, options.attach.limit);
  return [
    implement("csi.v1.Controller", controller({ volumes, attachments, options, isScheduled }), surroundings),
    implement("csi.v1.GroupController", groupController(volumes), surroundings),
  ];
}

const nodeService = ({ nodeVolumes, volumes, maxVolumesPerNode, options }: NodeServerParts, surroundings: Surroundings): BoundService =>
  implement(
    "csi.v1.Node",
    node({ nodeVolumes, maxVolumesPerNode, options, condition: async (id, call) => (await volumes.get(id, call)).condition }),
    surroundings,
  );
