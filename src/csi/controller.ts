import type { Call, Volume, Volumes } from "../volumes/volumes.ts";
import { toCsiVolume, toVolumeHealth } from "./answers.ts";
import { attachHandlers, type Attachments } from "./attach.ts";
import { capacityForScheduler, capacityOf } from "./capacity.ts";
import type { ControllerGetVolumeResponse_VolumeStatus, ControllerServiceCapability_RPC_Type } from "./generated/csi.ts";
import type { Handlers } from "./handler.ts";
import { knownVolume } from "./ids.ts";
import type { CsiOptions } from "./options.ts";
import { parseId } from "./parse/fields.ts";
import { parsePage } from "./parse/page.ts";
import { parseMutableParameters } from "./parse/parameters.ts";
import { Problems } from "./parse/problems.ts";
import { parseCreateVolume } from "./parse/requests.ts";
import { parseRequiredSizeRange } from "./parse/size.ts";
import { snapshotHandlers } from "./snapshots.ts";
import { unlessMissing } from "./unless-missing.ts";
import { validateCapabilities } from "./validate.ts";

const ALWAYS: readonly ControllerServiceCapability_RPC_Type[] = [
  "CREATE_DELETE_VOLUME",
  "LIST_VOLUMES",
  "GET_CAPACITY",
  "CREATE_DELETE_SNAPSHOT",
  "LIST_SNAPSHOTS",
  "CLONE_VOLUME",
  "EXPAND_VOLUME",
  "VOLUME_CONDITION",
  "GET_VOLUME",
  "SINGLE_NODE_MULTI_WRITER",
  "MODIFY_VOLUME",
  "GET_SNAPSHOT",
];
const WITH_ATTACH: readonly ControllerServiceCapability_RPC_Type[] = ["PUBLISH_UNPUBLISH_VOLUME", "PUBLISH_READONLY", "LIST_VOLUMES_PUBLISHED_NODES"];
const WITH_ALPHA: readonly ControllerServiceCapability_RPC_Type[] = ["GET_VOLUME_HEALTH", "LIST_VOLUME_HEALTH"];

export interface ControllerParts {
  readonly volumes: Volumes;
  readonly attachments: Attachments | undefined;
  readonly options: CsiOptions;
  /** Whether capacity is told to Kubernetes' scheduler. */
  readonly isScheduled: boolean;
}

export function controller({ volumes, attachments, options, isScheduled }: ControllerParts): Handlers<"csi.v1.Controller"> {
  const types = [...ALWAYS, ...(attachments === undefined ? [] : WITH_ATTACH), ...(options.alpha ? WITH_ALPHA : [])];
  const statusOf = ({ record, condition }: Volume): ControllerGetVolumeResponse_VolumeStatus => ({
    publishedNodeIds: attachments?.nodesOf(record.id) ?? [],
    volumeCondition: condition,
  });
  return {
    ControllerGetCapabilities: async () => ({ capabilities: types.map((type) => ({ rpc: { type } })) }),
    CreateVolume: async (request, call) => {
      const wanted = parseCreateVolume(request);
      const volume = await volumes.create(wanted, call);
      return { volume: toCsiVolume(volume) };
    },
    DeleteVolume: async ({ volumeId }, call) => {
      const id = parseVolumeId(volumeId);
      await unlessMissing(async () => volumes.delete(knownVolume(id), call));
      return {};
    },
    ListVolumes: async (request, call) => {
      const { items, nextToken } = await volumes.list(parsePage(request), call);
      return { entries: items.map((volume) => ({ volume: toCsiVolume(volume), status: statusOf(volume) })), nextToken };
    },
    ControllerGetVolume: async ({ volumeId }, call) => {
      const volume = await getVolume(volumes, volumeId, call);
      return { volume: toCsiVolume(volume), status: statusOf(volume) };
    },
    ValidateVolumeCapabilities: async (request, call) => validateCapabilities(volumes, request, call),
    GetCapacity: async (request, call) => (isScheduled ? capacityForScheduler : capacityOf)(volumes, request, call),
    ControllerExpandVolume: async (request, call) => {
      const problems = new Problems();
      const id = parseId("volume_id", request.volumeId, problems);
      const size = parseRequiredSizeRange(request.capacityRange, problems);
      problems.throwIfAny();
      const { record } = await volumes.expand(knownVolume(id), size, call);
      return { capacityBytes: String(record.sizeBytes), nodeExpansionRequired: record.capabilities.some(({ access }) => access === "mount") };
    },
    ControllerModifyVolume: async (request, call) => {
      const problems = new Problems();
      const id = parseId("volume_id", request.volumeId, problems);
      const change = parseMutableParameters(request.mutableParameters, problems);
      problems.throwIfAny();
      await volumes.modify(knownVolume(id), change, call);
      return {};
    },
    ...snapshotHandlers(volumes),
    ...(attachments === undefined ? {} : attachHandlers(volumes, attachments)),
    ...(options.alpha ? healthHandlers(volumes) : {}),
  };
}

const healthHandlers = (volumes: Volumes): Pick<Handlers<"csi.v1.Controller">, "ControllerGetVolumeHealth" | "ControllerListVolumeHealth"> => ({
  ControllerGetVolumeHealth: async ({ volumeId }, call) => {
    const { record, condition } = await getVolume(volumes, volumeId, call);
    return { volumeHealth: toVolumeHealth(record.id, condition) };
  },
  ControllerListVolumeHealth: async (request, call) => {
    const { items, nextToken } = await volumes.list(parsePage(request), call);
    return { entries: items.map(({ record, condition }) => toVolumeHealth(record.id, condition)), nextToken };
  },
});

const getVolume = async (volumes: Volumes, volumeId: string, call: Call): Promise<Volume> => volumes.get(knownVolume(parseVolumeId(volumeId)), call);

function parseVolumeId(volumeId: string): string {
  const problems = new Problems();
  const id = parseId("volume_id", volumeId, problems);
  problems.throwIfAny();
  return id;
}
