import type { Capability, Origin } from "../../catalog/records.ts";
import type { PublishWanted, StageWanted, VolumeWanted } from "../../volumes/volumes.ts";
import { DmthinError } from "../../errors.ts";
import type { CreateVolumeRequest, NodePublishVolumeRequest, NodeStageVolumeRequest, VolumeContentSource } from "../generated/csi.ts";
import { knownSnapshot, knownVolume } from "../ids.ts";
import { parseTopology } from "../topology.ts";
import { parseCapabilities, parseCapability } from "./capability.ts";
import { checkMap, parseId, parseName, parsePath } from "./fields.ts";
import { parseClaim, parseParameters } from "./parameters.ts";
import { Problems } from "./problems.ts";
import { parseSizeRange } from "./size.ts";

export function parseCreateVolume(request: CreateVolumeRequest): VolumeWanted {
  const problems = new Problems();
  const name = parseName(request.name, problems);
  const size = parseSizeRange(request.capacityRange, problems);
  const capabilities = parseCapabilities(request.volumeCapabilities, problems);
  const parameters = parseParameters(request.parameters, request.mutableParameters, problems);
  const filesystem = oneFilesystem(capabilities, parameters.filesystem, problems);
  const origin = parseOrigin(request.volumeContentSource, problems);
  const topology = parseTopology(request.accessibilityRequirements, problems);
  problems.throwIfAny();
  const claim = parseClaim(request.parameters);
  const wanted = { name, size, capabilities, parameters: { ...parameters, filesystem }, origin: knownOrigin(origin), topology };
  return claim === undefined ? wanted : { ...wanted, claim };
}

/** What the capabilities ask for goes before the class's parameter. */
function oneFilesystem(capabilities: readonly Capability[], parameter: Capability["filesystem"], problems: Problems): Capability["filesystem"] {
  const asked = new Set(capabilities.map(({ filesystem }) => filesystem).filter((type) => type !== undefined));
  if (asked.size > 1) problems.add(`volume_capabilities ask for several filesystems: ${[...asked].join(", ")}`);
  const [first = parameter] = asked;
  return first;
}

function parseOrigin(source: VolumeContentSource | null, problems: Problems): Origin {
  if (source === null) return { kind: "blank" };
  if (source.snapshot) return { kind: "snapshot", id: parseId("volume_content_source.snapshot.snapshot_id", source.snapshot.snapshotId, problems) };
  if (source.volume) return { kind: "volume", id: parseId("volume_content_source.volume.volume_id", source.volume.volumeId, problems) };
  problems.add("volume_content_source names neither a snapshot nor a volume");
  return { kind: "blank" };
}

function knownOrigin(origin: Origin): Origin {
  if (origin.kind === "snapshot") knownSnapshot(origin.id);
  if (origin.kind === "volume") knownVolume(origin.id);
  return origin;
}

export function parseStage(request: NodeStageVolumeRequest): StageWanted {
  const problems = new Problems();
  const id = parseId("volume_id", request.volumeId, problems);
  const path = parsePath("staging_target_path", request.stagingTargetPath, problems);
  const capability = parseCapability("volume_capability", request.volumeCapability, problems);
  checkMap("volume_context", request.volumeContext, problems);
  problems.throwIfAny();
  return { id: knownVolume(id), path, capability: present(capability) };
}

export function parsePublish(request: NodePublishVolumeRequest): PublishWanted {
  const problems = new Problems();
  const id = parseId("volume_id", request.volumeId, problems);
  const path = parsePath("target_path", request.targetPath, problems);
  const capability = parseCapability("volume_capability", request.volumeCapability, problems);
  const stagingPath = request.stagingTargetPath === "" ? "" : parsePath("staging_target_path", request.stagingTargetPath, problems);
  checkMap("volume_context", request.volumeContext, problems);
  problems.throwIfAny();
  // The specification wants FAILED_PRECONDITION here, not INVALID_ARGUMENT.
  if (stagingPath === "") throw new DmthinError({ code: "not-staged", id: knownVolume(id), path: "(staging_target_path is missing)" });
  const { mode } = present(capability);
  return { id: knownVolume(id), stagingPath, path, capability: present(capability), readOnly: request.readonly || mode === "SINGLE_NODE_READER_ONLY" };
}

/** After throwIfAny: what is undefined then was a problem. */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("a value is missing, and no problem was found with it");
  return value;
}
