import { DmthinError } from "../../errors.ts";
import type { Call } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import { isTerminating, type ApiObject } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import type { ThinSnapshotGroup } from "../objects/thin-snapshot-group.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import type { Place } from "./candidates.ts";
import type { ControllerParts } from "./parts.ts";

/** As the API server has it now. */
export async function findLive<Item extends ApiObject>({ api, cache }: Store<Item>, id: string, { signal }: Call): Promise<Item | undefined> {
  const live = await api.get(id, signal);
  if (live !== undefined) cache.note(live);
  return live;
}

/** What the watch has not told may be there all the same: absence is asked for live. */
export const find = async <Item extends ApiObject>(store: Store<Item>, id: string, call: Call): Promise<Item | undefined> =>
  store.cache.items.get(id) ?? findLive(store, id, call);

/** One that serves its users; what the watch tells otherwise may have changed since. */
export async function findServing<Item extends PlacedObject>(store: Store<Item>, id: string, call: Call): Promise<Item | undefined> {
  const known = store.cache.items.get(id);
  const found = known !== undefined && isServing(known) ? known : await findLive(store, id, call);
  return found !== undefined && isServing(found) ? found : undefined;
}

const isServing = (item: PlacedObject): boolean => item.status.phase === "Ready" && !isTerminating(item);

/** Throws "not-found". */
export async function requireVolume({ volumes }: ControllerParts, id: string, call: Call): Promise<ThinVolume> {
  const volume = await findServing(volumes, id, call);
  if (volume === undefined) throw new DmthinError({ code: "not-found", kind: "volume", id });
  return volume;
}

/** The group that a snapshot belongs to, as far as the watch has told. */
export const groupOfMember = ({ groups }: ControllerParts, id: string): ThinSnapshotGroup | undefined =>
  [...groups.cache.items.values()].find(({ status }) => status.snapshots.some((member) => member.id === id));

/** A snapshot, or a group's. Throws "not-found". */
export async function requireSnapshot(parts: ControllerParts, id: string, call: Call): Promise<Place> {
  const group = groupOfMember(parts, id);
  const found = group !== undefined && isServing(group) ? group : await findServing(parts.snapshots, id, call);
  if (found === undefined) throw new DmthinError({ code: "not-found", kind: "snapshot", id });
  return found.spec;
}
