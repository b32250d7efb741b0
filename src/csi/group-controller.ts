import type { Volumes } from "../volumes/volumes.ts";
import { toCsiGroup } from "./answers.ts";
import type { Handlers } from "./handler.ts";
import { knownGroup, knownVolume } from "./ids.ts";
import { parseId, parseName } from "./parse/fields.ts";
import { checkSnapshotParameters } from "./parse/parameters.ts";
import { Problems } from "./parse/problems.ts";
import { unlessMissing } from "./unless-missing.ts";

export function groupController(volumes: Volumes): Handlers<"csi.v1.GroupController"> {
  return {
    GroupControllerGetCapabilities: async () => ({ capabilities: [{ rpc: { type: "CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT" } }] }),
    CreateVolumeGroupSnapshot: async (request, call) => {
      const problems = new Problems();
      const name = parseName(request.name, problems);
      const sourceVolumeIds = parseIds("source_volume_ids", request.sourceVolumeIds, problems);
      if (sourceVolumeIds.length === 0) problems.add("source_volume_ids is missing");
      checkSnapshotParameters(request.parameters, problems);
      problems.throwIfAny();
      const group = await volumes.createGroup({ name, sourceVolumeIds: sourceVolumeIds.map(knownVolume) }, call);
      return { groupSnapshot: toCsiGroup(group) };
    },
    DeleteVolumeGroupSnapshot: async (request, call) => {
      const { id, snapshotIds } = parseGroup(request);
      await unlessMissing(async () => volumes.deleteGroup(knownGroup(id), snapshotIds, call));
      return {};
    },
    GetVolumeGroupSnapshot: async (request, call) => {
      const { id, snapshotIds } = parseGroup(request);
      return { groupSnapshot: toCsiGroup(await volumes.getGroup(knownGroup(id), snapshotIds, call)) };
    },
  };
}

function parseGroup(request: { readonly groupSnapshotId: string; readonly snapshotIds: readonly string[] }): {
  readonly id: string;
  readonly snapshotIds: readonly string[];
} {
  const problems = new Problems();
  const id = parseId("group_snapshot_id", request.groupSnapshotId, problems);
  const snapshotIds = parseIds("snapshot_ids", request.snapshotIds, problems);
  problems.throwIfAny();
  return { id, snapshotIds };
}

function parseIds(field: string, ids: readonly string[], problems: Problems): readonly string[] {
  if (new Set(ids).size < ids.length) problems.add(`${field} names one id twice`);
  return ids.map((id, index) => parseId(`${field}[${index}]`, id, problems));
}
