import type { MutableParameters, VolumeRecord } from "../../catalog/records.ts";
import { DmthinError, isError } from "../../errors.ts";
import { MAX_NOSPACE_RETRIES } from "../../filesystem/xfs-retries.ts";
import type { PoolView } from "../../pool/pool.ts";
import { formatQuantity } from "../../units.ts";
import { isSnapshotId, isVolumeId, volumeId } from "../../volumes/ids.ts";
import type { Call, SizeRange, Volumes, VolumeWanted } from "../../volumes/volumes.ts";
import { differenceFrom, purposeOf } from "../../volumes/wanted.ts";
import { originOf, type ThinVolume, type ThinVolumeSpec } from "../objects/thin-volume.ts";
import type { Carrier } from "./carrier.ts";
import { damageOf } from "./damage.ts";
import { nameProblems } from "./names.ts";

export const carryVolumes: Carrier<ThinVolume> = {
  kind: "ThinVolume",
  tellsPoolHealth: true,
  problems: (item) => [...nameProblems(item, volumeId), ...specProblems(item.spec)],
  held: (view, { metadata }) => recordOf(view, metadata.name)?.state ?? "nothing",
  taken: (view, { metadata: { name: id }, spec }) => {
    const record = recordOf(view, id);
    const wanted = lasting(wantedOf(spec));
    const difference = record?.state === "ready" ? differenceFrom(wanted, purposeOf(wanted), { record, pool: spec.poolName }) : undefined;
    return difference === undefined ? undefined : new DmthinError({ code: "already-exists", kind: "volume", id, difference });
  },
  make: async (volumes, item, view, call) => {
    const wanted = wantedOf(item.spec);
    if (recordOf(view, item.metadata.name) === undefined) return void (await volumes.create(wanted, call));
    // Made by an attempt that did not come to tell: what may change while it lives may have been changed since.
    await volumes.create({ ...lasting(wanted), size: { ...wanted.size, requiredBytes: 0n } }, call);
    await change(volumes, item, call);
  },
  change,
  remove: async (volumes, { metadata }, _, call) => volumes.delete(metadata.name, call),
  facts: (view, { metadata }) => {
    const record = recordOf(view, metadata.name);
    if (record?.state !== "ready") return undefined;
    const { sizeBytes, number, createdAt, filesystem, parameters } = record;
    return { sizeBytes, size: formatQuantity(sizeBytes), deviceNumber: number, createdAt: createdAt.toISOString(), filesystem: filesystem.type, parameters };
  },
  damage: (view, { metadata }) => damageOf(view, [metadata.name]),
};

async function change(volumes: Volumes, { metadata, spec, status }: ThinVolume, call: Call): Promise<void> {
  // Also when the catalogue has the size already: what should have grown the device may have been interrupted.
  if (spec.requiredBytes > (status.sizeBytes ?? 0)) await volumes.expand(metadata.name, sizeOf(spec), call);
  const mutable = mutableOf(spec);
  if (Object.keys(mutable).length > 0) await volumes.modify(metadata.name, mutable, call);
}

function recordOf(view: PoolView, id: string): VolumeRecord | undefined {
  const record = view.thins.get(id);
  return record?.kind === "volume" ? record : undefined;
}

/** What LocalVolumes is asked for: where it is to be was decided, so there is no topology. */
export function wantedOf(spec: ThinVolumeSpec): VolumeWanted {
  const { name, poolName, filesystem, mkfsOptions, capabilities } = spec;
  return {
    name,
    size: sizeOf(spec),
    capabilities: capabilities.map(({ access, filesystem: type, mountFlags, mode }) => ({ access, filesystem: type, mountFlags, mode })),
    parameters: { pool: poolName, filesystem, mkfsOptions, mutable: mutableOf(spec) },
    origin: originOf(spec),
    topology: undefined,
  };
}

/** Without what may change while it lives. */
const lasting = (wanted: VolumeWanted): VolumeWanted => ({ ...wanted, parameters: { ...wanted.parameters, mutable: {} } });

const sizeOf = ({ requiredBytes, limitBytes }: ThinVolumeSpec): SizeRange => ({
  requiredBytes: BigInt(requiredBytes),
  limitBytes: limitBytes === undefined ? undefined : BigInt(limitBytes),
});

function mutableOf({ parameters: { discardOnDelete, xfsNospaceMaxRetries } }: ThinVolumeSpec): Partial<MutableParameters> {
  return { ...(discardOnDelete === undefined ? {} : { discardOnDelete }), ...(xfsNospaceMaxRetries === undefined ? {} : { xfsNospaceMaxRetries }) };
}

function specProblems(spec: ThinVolumeSpec): readonly string[] {
  const { source, capabilities, mkfsOptions, parameters } = spec;
  const isId = source?.kind === "snapshot" ? isSnapshotId : isVolumeId;
  const flags = capabilities.flatMap(({ mountFlags }) => mountFlags);
  const { xfsNospaceMaxRetries: retries = "auto" } = parameters;
  return [
    ...(source === undefined || isId(source.id) ? [] : [`spec.source.id ${JSON.stringify(source.id)} is no ${source.kind}'s`]),
    ...(capabilities.length > 0 ? [] : ["spec.capabilities is empty"]),
    ...(flags.every(isArgument) ? [] : ["spec.capabilities has mountFlags that are none"]),
    ...(mkfsOptions.every(isArgument) ? [] : ["spec.mkfsOptions has options that are none"]),
    ...(retries === "auto" || (retries >= -1 && retries <= MAX_NOSPACE_RETRIES)
      ? []
      : [`spec.parameters.xfsNospaceMaxRetries is not from -1 to ${MAX_NOSPACE_RETRIES}`]),
    ...contradictions(spec),
  ];
}

function contradictions(spec: ThinVolumeSpec): readonly string[] {
  try {
    purposeOf(wantedOf(spec));
    return [];
  } catch (error) {
    if (!isError(error, "invalid-argument")) throw error;
    return error.facts.problems;
  }
}

const isArgument = (text: string): boolean => text !== "" && !text.includes("\0");
