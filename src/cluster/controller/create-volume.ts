import { DmthinError } from "../../errors.ts";
import { volumeId } from "../../volumes/ids.ts";
import { invalid } from "../../volumes/invalid.ts";
import { requireTime } from "../../volumes/operations.ts";
import type { Call, Volume, VolumeWanted } from "../../volumes/volumes.ts";
import { purposeOf, type Purpose } from "../../volumes/wanted.ts";
import { isAccepted, isTerminating } from "../objects/meta.ts";
import type { ThinVolume, ThinVolumeSpec } from "../objects/thin-volume.ts";
import { toVolume } from "./answers.ts";
import { candidatesOf, type Place } from "./candidates.ts";
import { requireClaim, type FoundClaim } from "./claims.ts";
import { differenceOf, fits, storableSize } from "./compare.ts";
import { findLive, requireSnapshot, requireVolume } from "./find.ts";
import { fulfilled, put } from "./fulfilment.ts";
import type { ControllerParts } from "./parts.ts";
import { place } from "./placement.ts";
import { choosePool, requireStaying } from "./pools.ts";
import { makeWay } from "./removal.ts";

/**
 * Finds the volume of that name, or has it made. The object is what excludes others: who makes it first has decided where
 * the volume is, and everybody else waits for the same object.
 */
export async function createVolume(parts: ControllerParts, wanted: VolumeWanted, call: Call): Promise<Volume> {
  const id = volumeId(wanted.name);
  using _ = parts.locks.take("creation", { exclusive: [id] });
  const purpose = purposeOf(wanted);
  // What the watch tells may be of a volume that is deleted since: what is there already is looked at live.
  let existing = parts.volumes.cache.items.has(id) ? await findLive(parts.volumes, id, call) : undefined;
  for (;;) {
    requireTime(call, `creation of volume ${id}`);
    const standing: ThinVolume | undefined = existing === undefined ? undefined : await standingOf(parts, wanted, purpose, existing, call);
    const volume = standing ?? (await ask(parts, id, wanted, purpose, call));
    if (volume !== undefined) return toVolume(parts, requireFit(wanted, await fulfilled(parts, parts.volumes, "volume", volume, call)));
    existing = await findLive(parts.volumes, id, call);
  }
}

/** What is there already, if it may stay: what failed, or is where it would not do and not begun, makes way. Throws "already-exists". */
async function standingOf(parts: ControllerParts, wanted: VolumeWanted, purpose: Purpose, existing: ThinVolume, call: Call): Promise<ThinVolume | undefined> {
  const { name: id } = existing.metadata;
  const hasFailed = existing.status.phase === "Failed";
  if (isTerminating(existing) && !hasFailed) throw new DmthinError({ code: "being-deleted", kind: "volume", id });
  const isElsewhere = existing.status.phase === "Pending" && !isAccepted(existing) && !fits(wanted, existing.spec.nodeName);
  if (hasFailed || isElsewhere) {
    await makeWay(parts, parts.volumes, "volume", existing, call);
    return undefined;
  }
  const difference = differenceOf(wanted, purpose, existing);
  if (difference !== undefined) throw new DmthinError({ code: "already-exists", kind: "volume", id, difference });
  return existing;
}

/** Where it is made is where it stays, whatever is asked for now. */
function requireFit(wanted: VolumeWanted, volume: ThinVolume): ThinVolume {
  const { nodeName } = volume.spec;
  if (fits(wanted, nodeName)) return volume;
  throw new DmthinError({ code: "already-exists", kind: "volume", id: volume.metadata.name, difference: `it is on node ${nodeName}` });
}

/** Puts the object there, once it is known where; undefined: the name was taken meanwhile. */
async function ask(parts: ControllerParts, id: string, wanted: VolumeWanted, purpose: Purpose, call: Call): Promise<ThinVolume | undefined> {
  const size = storableSize(wanted.size);
  const source = await sourceOf(parts, wanted, call);
  const claim = wanted.claim === undefined ? undefined : await requireClaim(parts.claims, wanted.claim, wanted.name, call.signal);
  const { poolName, nodeName } = source ?? placeOf(parts, wanted, size.requiredBytes, claim);
  const spec = specOf(wanted, purpose, { poolName, nodeName, size, claim });
  return put(parts, parts.volumes, id, spec, call);
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
  const { name: poolName } = requireStaying(choosePool([...parts.pools.cache.items.values()], parameters.pool)).metadata;
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
