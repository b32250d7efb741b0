import { DmthinError } from "../errors.ts";
import type { Call, Condition, NodeVolumes, VolumeStats } from "../volumes/volumes.ts";
import { toVolumeHealth } from "./answers.ts";
import type { NodeServiceCapability_RPC_Type, VolumeUsage } from "./generated/csi.ts";
import type { Handlers } from "./handler.ts";
import { knownVolume } from "./ids.ts";
import type { CsiOptions } from "./options.ts";
import { parseId, parsePath, parseWhereabouts } from "./parse/fields.ts";
import { Problems } from "./parse/problems.ts";
import { parsePublish, parseStage } from "./parse/requests.ts";
import { parseSizeRange } from "./parse/size.ts";
import { topologyOf } from "./topology.ts";
import { unlessMissing } from "./unless-missing.ts";

const ALWAYS: readonly NodeServiceCapability_RPC_Type[] = [
  "STAGE_UNSTAGE_VOLUME",
  "GET_VOLUME_STATS",
  "EXPAND_VOLUME",
  "VOLUME_CONDITION",
  "SINGLE_NODE_MULTI_WRITER",
];
const WITH_ALPHA: readonly NodeServiceCapability_RPC_Type[] = ["GET_VOLUME_HEALTH", "GET_STORAGE_HEALTH"];

export interface NodeParts {
  readonly nodeVolumes: NodeVolumes;
  /** 0: any number. */
  readonly maxVolumesPerNode: number;
  readonly options: Pick<CsiOptions, "alpha">;
  /** How a volume of this node is, by its id alone: the health call comes without a path. */
  readonly condition: (volumeId: string, call: Call) => Promise<Condition>;
}

export function node({ nodeVolumes, maxVolumesPerNode, options, condition }: NodeParts): Handlers<"csi.v1.Node"> {
  const types = [...ALWAYS, ...(options.alpha ? WITH_ALPHA : [])];
  return {
    NodeGetCapabilities: async () => ({ capabilities: types.map((type) => ({ rpc: { type } })) }),
    NodeGetInfo: async () => ({
      nodeId: nodeVolumes.node,
      maxVolumesPerNode: String(maxVolumesPerNode),
      accessibleTopology: topologyOf(nodeVolumes.node),
    }),
    NodeStageVolume: async (request, call) => {
      await nodeVolumes.stage(parseStage(request), call);
      return {};
    },
    NodeUnstageVolume: async (request, call) => {
      const { id, path } = parsePlace(request.volumeId, "staging_target_path", request.stagingTargetPath, parsePath);
      await unlessMissing(async () => nodeVolumes.unstage(knownVolume(id), path, call));
      return {};
    },
    NodePublishVolume: async (request, call) => {
      await nodeVolumes.publish(parsePublish(request), call);
      return {};
    },
    NodeUnpublishVolume: async (request, call) => {
      const { id, path } = parsePlace(request.volumeId, "target_path", request.targetPath, parsePath);
      await unlessMissing(async () => nodeVolumes.unpublish(knownVolume(id), path, call));
      return {};
    },
    NodeGetVolumeStats: async (request, call) => {
      const { id, path } = parsePlace(request.volumeId, "volume_path", request.volumePath, parseWhereabouts);
      const stats = await nodeVolumes.stats(knownVolume(id), path, call);
      return { usage: usageOf(stats), volumeCondition: stats.condition };
    },
    NodeExpandVolume: async (request, call) => {
      const problems = new Problems();
      const { requiredBytes } = parseSizeRange(request.capacityRange, problems);
      const { id, path } = parsePlace(request.volumeId, "volume_path", request.volumePath, parseWhereabouts, problems);
      const sizeBytes = await nodeVolumes.expandFilesystem(knownVolume(id), path, call);
      if (requiredBytes > BigInt(sizeBytes)) {
        const reason = `its device has ${sizeBytes} bytes: call ControllerExpandVolume first`;
        throw new DmthinError({ code: "out-of-range", what: `a size of ${requiredBytes} bytes for volume ${id}`, reason });
      }
      return { capacityBytes: String(sizeBytes) };
    },
    ...(options.alpha ? healthHandlers(nodeVolumes, condition) : {}),
  };
}

const healthHandlers = (
  nodeVolumes: NodeVolumes,
  condition: NodeParts["condition"],
): Pick<Handlers<"csi.v1.Node">, "NodeGetVolumeHealth" | "NodeGetStorageHealth"> => ({
  NodeGetVolumeHealth: async (request, call) => {
    const problems = new Problems();
    const id = parseId("volume_id", request.volumeId, problems);
    problems.throwIfAny();
    return { volumeHealth: toVolumeHealth(id, await condition(knownVolume(id), call)) };
  },
  NodeGetStorageHealth: async () => {
    const { abnormal, message } = nodeVolumes.health();
    return { backendHealth: abnormal ? [{ status: "STORAGE_DEGRADED", reason: "PoolNotServing", message, volumeCapability: null }] : [] };
  },
});

function parsePlace(
  volumeId: string,
  field: string,
  path: string,
  parse: typeof parsePath,
  problems = new Problems(),
): { readonly id: string; readonly path: string } {
  const id = parseId("volume_id", volumeId, problems);
  const parsed = parse(field, path, problems);
  problems.throwIfAny();
  return { id, path: parsed };
}

/** 0 where nothing is known: of a block volume only its size is. */
function usageOf({ usage, sizeBytes }: VolumeStats): readonly VolumeUsage[] {
  if (usage === undefined) return [{ unit: "BYTES", total: String(sizeBytes), used: "0", available: "0" }];
  return [
    { unit: "BYTES", total: String(usage.totalBytes), used: String(usage.usedBytes), available: String(usage.availableBytes) },
    { unit: "INODES", total: String(usage.totalInodes), used: String(usage.usedInodes), available: String(usage.freeInodes) },
  ];
}
