import type { Pool } from "../../pool/pool.ts";

/**
 * Why a pool cannot go yet, in words; undefined: nothing is in the way that its view tells. One that was refused, or that was
 * never seen to start, is for the removal to judge: it takes none that is on record here and cannot be looked at, and a pool
 * whose disks never were there holds nothing.
 */
export function whatHolds({ view, description: { name } }: Pool): string | undefined {
  switch (view.status.kind) {
    case "recovering":
      if (view.status.reason === undefined) return "it is being recovered";
      return view.poolUuid === undefined ? undefined : `it cannot be started (${view.status.reason}), so what it holds is not known`;
    case "locked":
      return "another process has its lock";
    case "refused":
      return undefined;
    case "ready":
      return contents(view) ?? orphans(view, name);
  }
}

/** What the cluster asks of the pool can only be carried out, or deleted, while it is here: also what the catalogue does not have yet, or has lost. */
export const whoWaits = (objects: number): string | undefined =>
  objects === 0
    ? undefined
    : `the cluster has ${counted(objects, "object")} in it on this node (kubectl get thinvolumes,thinsnapshots,thinsnapshotgroups): delete their claims and VolumeSnapshots first`;

function contents({ thins }: Pool["view"]): string | undefined {
  const records = Array.from(thins.values());
  if (records.length === 0) return undefined;
  const volumes = records.filter(({ kind }) => kind === "volume").length;
  const deleting = records.filter(({ state }) => state !== "ready").length;
  const held = `it holds ${counted(volumes, "volume")} and ${counted(records.length - volumes, "snapshot")}`;
  return deleting === 0 ? `${held}: delete them first` : `${held}, of which ${deleting} are being deleted`;
}

function orphans({ inventory }: Pool["view"], name: string): string | undefined {
  if (inventory === undefined) return "what it holds is being counted";
  const count = inventory.orphans.length;
  return count === 0
    ? undefined
    : `it holds ${counted(count, "thin device")} that nobody knows: delete or adopt them first, on the node, with "dmthin pool orphans ${name}"`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
