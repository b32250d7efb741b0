import { isSnapshotId, isVolumeId } from "../volumes/ids.ts";
import type { Volumes } from "../volumes/volumes.ts";
import { toCsiSnapshot } from "./answers.ts";
import type { Handlers } from "./handler.ts";
import { knownSnapshot, knownVolume } from "./ids.ts";
import { parseId, parseName } from "./parse/fields.ts";
import { parsePage } from "./parse/page.ts";
import { checkSnapshotParameters } from "./parse/parameters.ts";
import { Problems } from "./parse/problems.ts";
import { unlessMissing } from "./unless-missing.ts";

type SnapshotCalls = "CreateSnapshot" | "DeleteSnapshot" | "GetSnapshot" | "ListSnapshots";

export const snapshotHandlers = (volumes: Volumes): Pick<Handlers<"csi.v1.Controller">, SnapshotCalls> => ({
  CreateSnapshot: async (request, call) => {
    const problems = new Problems();
    const name = parseName(request.name, problems);
    const sourceVolumeId = parseId("source_volume_id", request.sourceVolumeId, problems);
    checkSnapshotParameters(request.parameters, problems);
    problems.throwIfAny();
    return { snapshot: toCsiSnapshot(await volumes.createSnapshot({ name, sourceVolumeId: knownVolume(sourceVolumeId) }, call)) };
  },
  DeleteSnapshot: async (request, call) => {
    const id = parseSnapshotId(request.snapshotId);
    await unlessMissing(async () => volumes.deleteSnapshot(knownSnapshot(id), call));
    return {};
  },
  GetSnapshot: async (request, call) => {
    const id = parseSnapshotId(request.snapshotId);
    return { snapshot: toCsiSnapshot(await volumes.getSnapshot(knownSnapshot(id), call)) };
  },
  ListSnapshots: async (request, call) => {
    const { snapshotId, sourceVolumeId } = request;
    const page = parsePage(request);
    const isNobodys = (snapshotId !== "" && !isSnapshotId(snapshotId)) || (sourceVolumeId !== "" && !isVolumeId(sourceVolumeId));
    if (isNobodys) return { entries: [], nextToken: "" };
    const filter = { snapshotId: snapshotId === "" ? undefined : snapshotId, sourceVolumeId: sourceVolumeId === "" ? undefined : sourceVolumeId };
    const { items, nextToken } = await volumes.listSnapshots(filter, page, call);
    return { entries: items.map((snapshot) => ({ snapshot: toCsiSnapshot(snapshot) })), nextToken };
  },
});

function parseSnapshotId(snapshotId: string): string {
  const problems = new Problems();
  const id = parseId("snapshot_id", snapshotId, problems);
  problems.throwIfAny();
  return id;
}
