import type { MutableParameters } from "../../catalog/records.ts";
import { DmthinError, isError } from "../../errors.ts";
import { formatBytes } from "../../units.ts";
import type { Call, SizeRange, Volume } from "../../volumes/volumes.ts";
import type { MergePatch } from "../api/objects-api.ts";
import { errorOf } from "../objects/failure.ts";
import { isTerminating } from "../objects/meta.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import { toVolume } from "./answers.ts";
import { storableSize } from "./compare.ts";
import { findLive, requireVolume } from "./find.ts";
import { describeWait } from "./fulfilment.ts";
import type { ControllerParts } from "./parts.ts";
import { untilJudged } from "./waiting.ts";

/** Compared with what the volume has, not with what was asked for before. What cannot be had is asked for no longer when the error is told. */
export async function expandVolume(parts: ControllerParts, id: string, size: SizeRange, call: Call): Promise<Volume> {
  using _ = parts.locks.take("expansion", { exclusive: [id] });
  const { requiredBytes, limitBytes = null } = storableSize(size);
  for (let volume = await requireVolume(parts, id, call); ; volume = await requireLive(parts, id, call)) {
    const currentBytes = volume.status.sizeBytes ?? 0;
    if (limitBytes !== null && limitBytes < currentBytes) throw tooLarge(currentBytes, limitBytes);
    if (requiredBytes <= currentBytes) return toVolume(parts, volume);
    const isAsked = volume.spec.requiredBytes === requiredBytes && (volume.spec.limitBytes ?? null) === limitBytes;
    const asked = isAsked ? volume : await change(parts, volume, { requiredBytes, limitBytes }, call);
    if (asked === undefined) continue;
    const expanded = await carriedOut(parts, asked, { operation: "expansion", putBack: { requiredBytes: currentBytes, limitBytes: null } }, call);
    if ((expanded.status.sizeBytes ?? 0) >= requiredBytes) return toVolume(parts, expanded);
    throw new DmthinError({ code: "in-progress", kind: "volume", id, operation: "another expansion" });
  }
}

/** What `wanted` does not name stays as it is. Of what cannot be had, nothing is. */
export async function modifyVolume(parts: ControllerParts, id: string, wanted: Partial<MutableParameters>, call: Call): Promise<void> {
  using _ = parts.locks.take("modification", { exclusive: [id] });
  for (let volume = await requireVolume(parts, id, call); ; volume = await requireLive(parts, id, call)) {
    const now: Readonly<Record<string, unknown>> = volume.spec.parameters;
    const news = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => value !== now[key]));
    const isNews = Object.keys(news).length > 0;
    if (!isNews && isInEffect(volume, wanted)) return;
    const asked = isNews ? await change(parts, volume, { parameters: news }, call) : volume;
    if (asked === undefined) continue;
    const before = Object.fromEntries(Object.keys(wanted).map((key) => [key, volume.status.parameters[key as keyof MutableParameters] ?? null]));
    await carriedOut(parts, asked, { operation: "modification", putBack: { parameters: before } }, call);
    return;
  }
}

const isInEffect = ({ status }: ThinVolume, wanted: Partial<MutableParameters>): boolean =>
  Object.entries(wanted).every(([key, value]) => status.parameters[key as keyof MutableParameters] === value);

/** Of the volume as it was seen; undefined: it has changed since, or is gone. */
async function change({ volumes }: ControllerParts, volume: ThinVolume, spec: MergePatch, call: Call): Promise<ThinVolume | undefined> {
  const { name: id, uid, resourceVersion } = volume.metadata;
  try {
    const changed = await volumes.api.patch(id, { spec }, { preconditions: { uid, resourceVersion } }, call.signal);
    if (changed !== undefined) volumes.cache.note(changed);
    return changed;
  } catch (error) {
    if (isError(error, "api-conflict")) return undefined;
    throw error;
  }
}

/** Throws "not-found". */
async function requireLive(parts: ControllerParts, id: string, call: Call): Promise<ThinVolume> {
  await findLive(parts.volumes, id, call);
  return requireVolume(parts, id, call);
}

/** Waits until the node has answered this generation of the spec, or a later one. */
async function carriedOut(
  parts: ControllerParts,
  asked: ThinVolume,
  { operation, putBack }: { readonly operation: string; readonly putBack: MergePatch },
  call: Call,
): Promise<ThinVolume> {
  const { name: id, uid, generation } = asked.metadata;
  const { cache } = parts.volumes;
  const judge = (): ThinVolume | "gone" | undefined => {
    const volume = cache.items.get(id);
    if (volume === undefined || volume.metadata.uid !== uid || isTerminating(volume)) return "gone";
    return (volume.status.observedGeneration ?? 0) >= generation || (volume.status.failure?.generation ?? 0) >= generation ? volume : undefined;
  };
  const waitsFor = (): string => describeWait(parts, cache.items.get(id) ?? asked);
  const volume = await untilJudged(call, { kind: "volume", id, operation }, [cache, parts.agents], judge, waitsFor);
  if (volume === "gone") throw new DmthinError({ code: "not-found", kind: "volume", id });
  const { failure } = volume.status;
  if (failure === undefined || failure.generation < generation) return volume;
  await withdrawChange(parts, volume, putBack, call);
  throw errorOf(failure);
}

/** First the spec says again what is, then the error is told: nobody is to find the old wish and think that it goes on. */
async function withdrawChange({ volumes }: ControllerParts, seen: ThinVolume, putBack: MergePatch, call: Call): Promise<void> {
  const { name: id, uid, generation } = seen.metadata;
  for (let volume: ThinVolume | undefined = seen; volume?.metadata.uid === uid && volume.metadata.generation === generation;) {
    try {
      const changed = await volumes.api.patch(id, { spec: putBack }, { preconditions: { uid, resourceVersion: volume.metadata.resourceVersion } }, call.signal);
      if (changed !== undefined) volumes.cache.note(changed);
      return;
    } catch (error) {
      if (!isError(error, "api-conflict")) throw error;
      volume = await findLive(volumes, id, call);
    }
  }
}

const tooLarge = (currentBytes: number, limitBytes: number): DmthinError =>
  new DmthinError({
    code: "out-of-range",
    what: `a size of ${formatBytes(limitBytes)}`,
    reason: `the limit of ${formatBytes(limitBytes)} is below ${formatBytes(currentBytes)}, its size now, and no volume shrinks`,
  });
