import { isError } from "../../errors.ts";
import type { Cache } from "../api/cache.ts";
import type { PersistentVolume } from "../objects/core.ts";
import { isTerminating, type ObjectCondition } from "../objects/meta.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import type { ControllerParts } from "./parts.ts";
import type { Task } from "./tasks.ts";

const UNCLAIMED = "Unclaimed";
/** A volume that nobody has asked for again for so long is nobody's: a provisioner that waits for it asks every few minutes. */
const UNCLAIMED_AFTER_MS = 3_600_000;
const LOOK_EVERY_MS = 600_000;

export const isUnclaimed = ({ status }: ThinVolume): boolean => status.conditions.some(({ type, status: is }) => type === UNCLAIMED && is === "True");

/** Volumes that neither a PersistentVolume nor a claim knows are told: nobody else will ever delete them, and neither do we. */
export const unclaimed = (parts: ControllerParts, persistentVolumes: Cache<PersistentVolume>, driver: string): Task => ({
  name: "unclaimed volumes",
  sources: [persistentVolumes],
  everyMs: LOOK_EVERY_MS,
  run: async (signal) => {
    await persistentVolumes.synced;
    const known = new Set([...persistentVolumes.items.values()].flatMap(({ spec: { csi } }) => (csi?.driver === driver ? [csi.volumeHandle] : [])));
    for (const volume of parts.volumes.cache.items.values()) {
      if (isTerminating(volume)) continue;
      const isKnown = known.has(volume.metadata.name) || isYoung(parts, volume) || (await hasClaim(parts, volume, signal));
      if (isKnown === isUnclaimed(volume)) await tell(parts, volume, !isKnown, signal);
    }
  },
});

const isYoung = ({ now }: ControllerParts, { metadata }: ThinVolume): boolean => now() - Date.parse(metadata.creationTimestamp) < UNCLAIMED_AFTER_MS;

async function hasClaim({ claims }: ControllerParts, { spec: { claim } }: ThinVolume, signal: AbortSignal): Promise<boolean> {
  if (claim === undefined) return false;
  const found = await claims.get(claim.namespace, claim.name, signal);
  return found !== undefined && (claim.uid === undefined || found.metadata.uid === claim.uid);
}

async function tell({ volumes, now, logger }: ControllerParts, volume: ThinVolume, is: boolean, signal: AbortSignal): Promise<void> {
  const { metadata, status } = volume;
  const condition: ObjectCondition = {
    type: UNCLAIMED,
    status: "True",
    reason: "NoClaim",
    message: "neither a PersistentVolume nor a claim knows this volume: if nobody wants its data, delete this object",
    lastTransitionTime: new Date(now()).toISOString(),
  };
  const conditions = [...status.conditions.filter(({ type }) => type !== UNCLAIMED), ...(is ? [condition] : [])];
  const { name, uid, resourceVersion } = metadata;
  try {
    const told = await volumes.api.patch(name, { status: { conditions } }, { subresource: "status", preconditions: { uid, resourceVersion } }, signal);
    if (told !== undefined) volumes.cache.note(told);
    if (is) logger.warn("nobody claims a volume", { volume: name, node: volume.spec.nodeName });
  } catch (error) {
    if (!isError(error, "api-conflict")) throw error; // the node has just written: looked at again
  }
}
