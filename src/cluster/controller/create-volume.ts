import { DmthinError } from "../../errors.ts";
import { volumeId } from "../../volumes/ids.ts";
import { invalid } from "../../volumes/invalid.ts";
import type { Call, Volume, VolumeWanted } from "../../volumes/volumes.ts";
import { purposeOf, type Purpose } from "../../volumes/wanted.ts";
import { isAccepted } from "../objects/meta.ts";
import type { ThinVolume, ThinVolumeSpec } from "../objects/thin-volume.ts";
import { toVolume } from "./answers.ts";
import { candidatesOf, type Place } from "./candidates.ts";
import { requireClaim, type FoundClaim } from "./claims.ts";
import { differenceOf, fits, storableSize } from "./compare.ts";
import { created, type Creation } from "./creation.ts";
import { requireSnapshot, requireVolume } from "./find.ts";
import type { ControllerParts } from "./parts.ts";
import { place } from "./placement.ts";
import { choosePool, requireStaying } from "./pools.ts";

/** Finds the volume of that name, or has it made; one that is where it would not do, and is not begun, makes way. */
export async function createVolume(parts: ControllerParts, wanted: VolumeWanted, call: Call): Promise<Volume> {
  const purpose = purposeOf(wanted);
  const isUseless = (existing: ThinVolume): boolean => existing.status.phase === "Pending" && !isAccepted(existing) && !fits(wanted, existing.spec.nodeName);
  const creation: Creation<ThinVolume> = {
    store: parts.volumes,
    kind: "volume",
    id: volumeId(wanted.name),
    isUseless,
    differenceOf: (existing) => differenceOf(wanted, purpose, existing),
    spec: async () => placedSpec(parts, wanted, purpose, call),
  };
  return toVolume(parts, requireFit(wanted, await created(parts, creation, call)));
}

/** Where it is made is where it stays, whatever is asked for now. */
function requireFit(wanted: VolumeWanted, volume: ThinVolume): ThinVolume {
  const { nodeName } = volume.spec;
  if (fits(wanted, nodeName)) return volume;
  throw new DmthinError({ code: "already-exists", kind: "volume", id: volume.metadata.name, difference: `it is on node ${nodeName}` });
}

async function placedSpec(parts: ControllerParts, wanted: VolumeWanted, purpose: Purpose, call: Call): Promise<ThinVolumeSpec> {
  const size = storableSize(wanted.size);
  const source = await sourceOf(parts, wanted, call);
  const claim = wanted.claim === undefined ? undefined : await requireClaim(parts.claims, wanted.claim, wanted.name, call.signal);
  const { poolName, nodeName } = source ?? placeOf(parts, wanted, size.requiredBytes, claim);
  return specOf(wanted, purpose, { poolName, nodeName, size, claim });
}

/** Where a copy has to be. Throws "not-found"; "invalid-argument" when it was asked for elsewhere, so that it is not tried on node after node. */
async function sourceOf(parts: ControllerParts, wanted: VolumeWanted, call: Call): Promise<Place | undefined> {
  const { origin, parameters, topology } = wanted;
  if (origin.kind === "blank") return undefined;
  const source = origin.kind === "volume" ? (await requireVolume(parts, origin.id, call)).spec : await requireSnapshot(parts, origin.id, call);
  const { nodeName, poolName } = source;
  if (parameters.pool !== undefined && parameters.pool !== poolName)
    throw invalid(`${origin.kind} ${origin.id} is in pool ${poolName}, so its copy cannot be in pool ${parameters.pool}`);
  if (!fits(wanted, nodeName)) throw invalid(`its source is on node ${nodeName}, and only ${topology?.requisite.join(", ")} would do`);
  return { nodeName, poolName };
}

function placeOf(parts: ControllerParts, { parameters, topology }: VolumeWanted, sizeBytes: number, claim: FoundClaim | undefined): Place {
  const { name: poolName } = requireStaying(choosePool(parts, parameters.pool)).metadata;
  const wanted = { pool: poolName, sizeBytes, topology, selectedNode: claim?.selectedNode };
  return { poolName, nodeName: place(wanted, candidatesOf(parts, poolName)) };
}

interface Placed extends Place {
  readonly size: ReturnType<typeof storableSize>;
  readonly claim: FoundClaim | undefined;
}

function specOf(
  { name, origin, capabilities, parameters }: VolumeWanted,
  { filesystem, mkfsOptions }: Purpose,
  { poolName, nodeName, size, claim }: Placed,
): ThinVolumeSpec {
  const { requiredBytes, limitBytes } = size;
  return {
    name,
    nodeName,
    poolName,
    requiredBytes,
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(origin.kind === "blank" ? {} : { source: origin }),
    capabilities: capabilities.map(({ access, filesystem: type, mountFlags, mode }) => ({
      access,
      ...(type === undefined ? {} : { filesystem: type }),
      mountFlags: [...mountFlags],
      mode,
    })),
    ...(filesystem === undefined ? {} : { filesystem }),
    mkfsOptions: [...mkfsOptions],
    parameters: { ...parameters.mutable },
    ...(claim === undefined ? {} : { claim: { namespace: claim.namespace, name: claim.name, uid: claim.uid } }),
  };
}
