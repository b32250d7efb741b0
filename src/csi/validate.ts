import { isDeepStrictEqual } from "node:util";
import type { Capability } from "../catalog/records.ts";
import type { Call, Volume, VolumeParameters, Volumes } from "../volumes/volumes.ts";
import type { ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse } from "./generated/csi.ts";
import { knownVolume } from "./ids.ts";
import { parseCapabilities } from "./parse/capability.ts";
import { parseId } from "./parse/fields.ts";
import { parseParameters } from "./parse/parameters.ts";
import { Problems } from "./parse/problems.ts";

/** Confirms what is asked when all of it holds; says in words why not. */
export async function validateCapabilities(
  volumes: Volumes,
  request: ValidateVolumeCapabilitiesRequest,
  call: Call,
): Promise<ValidateVolumeCapabilitiesResponse> {
  const [problems, unsupported] = [new Problems(), new Problems()];
  const id = parseId("volume_id", request.volumeId, problems);
  const capabilities = parseCapabilities(request.volumeCapabilities, problems, unsupported);
  const parameters = parseParameters(request.parameters, request.mutableParameters, unsupported);
  problems.throwIfAny();
  const volume = await volumes.get(knownVolume(id), call);
  const reasons = [...unsupported.all, ...capabilities.flatMap((capability) => capabilityReasons(volume, capability)), ...parameterReasons(volume, parameters)];
  if (reasons.length > 0) return { confirmed: null, message: reasons.join("; ") };
  const { volumeContext, volumeCapabilities, parameters: asked, mutableParameters } = request;
  return { confirmed: { volumeContext, volumeCapabilities, parameters: asked, mutableParameters }, message: "" };
}

function capabilityReasons({ record }: Volume, { access, filesystem }: Capability): readonly string[] {
  const { id, filesystem: made } = record;
  if (!record.capabilities.some((capability) => capability.access === access)) return [`volume ${id} was not made for access by ${access}`];
  if (filesystem !== undefined && made.type !== undefined && filesystem !== made.type) return [`volume ${id} has ${made.type}, not ${filesystem}`];
  return [];
}

function parameterReasons({ record, pool }: Volume, { pool: askedPool, filesystem, mkfsOptions, mutable }: VolumeParameters): readonly string[] {
  const reasons: string[] = [];
  if (askedPool !== undefined && askedPool !== pool) reasons.push(`volume ${record.id} is in pool ${pool}, not ${askedPool}`);
  if (filesystem !== undefined && record.filesystem.type !== undefined && filesystem !== record.filesystem.type)
    reasons.push(`volume ${record.id} has ${record.filesystem.type}, not ${filesystem}`);
  if (mkfsOptions.length > 0 && !isDeepStrictEqual(mkfsOptions, record.mkfsOptions)) reasons.push(`volume ${record.id} was made with other mkfsOptions`);
  for (const key of ["discardOnDelete", "xfsNospaceMaxRetries"] as const) {
    if (mutable[key] !== undefined && mutable[key] !== record.parameters[key])
      reasons.push(`volume ${record.id} has ${key} ${record.parameters[key]}, not ${mutable[key]}`);
  }
  return reasons;
}
