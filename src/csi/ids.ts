import { DmthinError, type ObjectKind } from "../errors.ts";
import { isGroupId, isSnapshotId, isVolumeId } from "../volumes/ids.ts";

/** An id that is not of our making names nothing: "not-found", without asking anybody. */
const known =
  (kind: ObjectKind, isOurs: (id: string) => boolean) =>
  (id: string): string => {
    if (!isOurs(id)) throw new DmthinError({ code: "not-found", kind, id: id.length > 128 ? `${id.slice(0, 128)}…` : id });
    return id;
  };

export const knownVolume = known("volume", isVolumeId);
export const knownSnapshot = known("snapshot", isSnapshotId);
export const knownGroup = known("group snapshot", isGroupId);
