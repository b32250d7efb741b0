import { status } from "@grpc/grpc-js";
import type { Call, Capacity, Volumes } from "../volumes/volumes.ts";
import { statusOf } from "./codes.ts";
import type { GetCapacityRequest, GetCapacityResponse } from "./generated/csi.ts";
import { parseCapability } from "./parse/capability.ts";
import { parseParameters } from "./parse/parameters.ts";
import { Problems } from "./parse/problems.ts";
import { nodeOf } from "./topology.ts";

const NONE: GetCapacityResponse = { availableCapacity: "0", maximumVolumeSize: { value: "0" }, minimumVolumeSize: null };
/** More than anybody asks for: an exbibyte. */
const ANY_SIZE = String(2n ** 60n);
const ANY: GetCapacityResponse = { availableCapacity: ANY_SIZE, maximumVolumeSize: { value: ANY_SIZE }, minimumVolumeSize: null };

/**
 * For Kubernetes' scheduler, which says of a pod without room no more than that, and then nobody is asked to make its volume.
 * So a class that is wrong has room for anything: CreateVolume is asked, refuses it, and the claim shows why.
 */
export async function capacityForScheduler(volumes: Volumes, request: GetCapacityRequest, call: Call): Promise<GetCapacityResponse> {
  try {
    return await capacityOf(volumes, request, call);
  } catch (error) {
    if (statusOf("GetCapacity", error) === status.INVALID_ARGUMENT) return ANY;
    throw error;
  }
}

/** What can be had of a kind of volume. What we could never make (several nodes, elsewhere) has no room, which is no error. */
export async function capacityOf(volumes: Volumes, request: GetCapacityRequest, call: Call): Promise<GetCapacityResponse> {
  const [problems, unsupported] = [new Problems(), new Problems()];
  const capabilities = request.volumeCapabilities.map((one, index) => parseCapability(`volume_capabilities[${index}]`, one, problems, unsupported));
  const { pool, filesystem: parameter } = parseParameters(request.parameters, {}, problems);
  problems.throwIfAny();
  const node = request.accessibleTopology === null ? undefined : nodeOf(request.accessibleTopology);
  const isElsewhere = request.accessibleTopology !== null && node === undefined;
  if (isElsewhere || unsupported.all.length > 0) return NONE;
  const isBlock = capabilities.length > 0 && capabilities.every((capability) => capability?.access === "block");
  const filesystem = capabilities.find((capability) => capability?.filesystem !== undefined)?.filesystem ?? parameter;
  return toResponse(await volumes.capacity({ pool, node, filesystem: isBlock ? undefined : filesystem }, call));
}

const toResponse = ({ availableBytes, minimumVolumeBytes, maximumVolumeBytes }: Capacity): GetCapacityResponse => ({
  availableCapacity: String(availableBytes),
  maximumVolumeSize: { value: String(maximumVolumeBytes) },
  minimumVolumeSize: { value: String(minimumVolumeBytes) },
});
