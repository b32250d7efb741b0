import { pageOf } from "../../volumes/pages.ts";
import type { Page, PageRequest, Snapshot, Volume } from "../../volumes/volumes.ts";
import type { Store } from "../api/store.ts";
import { isTerminating } from "../objects/meta.ts";
import type { PlacedObject } from "../objects/placed-object.ts";
import { membersOf, toSnapshot, toVolume } from "./answers.ts";
import type { ControllerParts } from "./parts.ts";

/** From memory: all that serve their users, on whatever node. */
export function listVolumes(parts: ControllerParts, page: PageRequest): Page<Volume> {
  const volumes = readyOf(parts.volumes).map((volume) => toVolume(parts, volume));
  return pageOf("volumes", volumes, ({ record }) => record, page);
}

export interface SnapshotFilter {
  readonly snapshotId: string | undefined;
  readonly sourceVolumeId: string | undefined;
}

/** Groups' snapshots are among them. Filters that match nothing give an empty list. */
export function listSnapshots(parts: ControllerParts, filter: SnapshotFilter, page: PageRequest): Page<Snapshot> {
  const snapshots = [...readyOf(parts.snapshots).map(toSnapshot), ...readyOf(parts.groups).flatMap(membersOf)]
    .filter(({ record: { id } }) => filter.snapshotId === undefined || filter.snapshotId === id)
    .filter(({ record: { sourceVolumeId } }) => filter.sourceVolumeId === undefined || filter.sourceVolumeId === sourceVolumeId);
  return pageOf("snapshots", snapshots, ({ record }) => record, page);
}

const readyOf = <Item extends PlacedObject>({ cache }: Store<Item>): readonly Item[] =>
  [...cache.items.values()].filter((item) => item.status.phase === "Ready" && !isTerminating(item));
