import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "../harness/driver.ts";
import { VolumeUser } from "../demo/volume-user.ts";
import { timeCommand } from "./info-times.ts";
import type { LeanClient } from "./lean-client.ts";
import { timed } from "./statistics.ts";
import { whileWriting } from "./writer.ts";

const GiB = 1024 ** 3;
/** What the driver does every ten seconds to stay small is done by then. */
const SETTLE_MS = 12_000;
export type Times = Readonly<Record<string, readonly number[]>>;

/** The driver's operations over its socket, one after the other, in a pool that has 1,050 volumes at the end. */
export async function timeDriver(
  { pid }: Pick<Driver, "pid">,
  client: LeanClient,
  folder: string,
  progress: (text: string) => void,
): Promise<{ readonly times: Times; readonly memoryMiB: number }> {
  const user = new VolumeUser(client, folder);
  const ids: string[] = [];
  progress("creating 1,050 volumes");
  const create = await timed(1050, async (index) => ids.push(await user.create(`volume-${index}`, GiB)));
  const id = (index: number): string => ids[index] ?? "";
  await sleep(SETTLE_MS);
  const memoryMiB = residentMiB(pid);

  progress("snapshots, restores, clones");
  const snapshots: string[] = [];
  const snapshot = await timed(100, async (index) => snapshots.push(await user.snapshot(`snapshot-${index}`, id(index))));
  const restored: string[] = [];
  const restore = await timed(50, async (index) => restored.push(await user.create(`restored-${index}`, GiB, { snapshot: snapshots[index] ?? "" })));

  progress("staging, publishing, statistics");
  const stage = await timed(20, (index) => user.stage(id(index)));
  const publish = await timed(20, (index) => user.publish(id(index)));
  const stats = await timed(200, (index) => client.call("NodeGetVolumeStats", { volume_id: id(index % 20), volume_path: user.target(id(index % 20)) }));
  const inUse = await whileWriting(user.target(id(0)), () => timed(50, (index) => user.snapshot(`in-use-${index}`, id(0))));
  const list = await timed(50, () => client.call("ListVolumes", { max_entries: 100 }));
  const capacity = await timed(200, () => client.call("GetCapacity", {}));
  const unpublish = await timed(20, (index) => client.call("NodeUnpublishVolume", { volume_id: id(index), target_path: user.target(id(index)) }));
  const unstage = await timed(20, (index) => user.release(id(index)));
  const restage = await timed(20, (index) => user.stage(id(index)));
  for (let index = 0; index < 20; index++) await user.release(id(index));

  progress("dmthin info and volume ls");
  for (let index = 0; index < 50; index++) await user.snapshot(`one-more-${index}`, id(index));
  const info = await timeCommand(folder, ["info"], 10);
  const measured = await timeCommand(folder, ["volume", "ls"], 5);

  progress("deleting");
  const remove = await timed(50, (index) => user.delete(restored[index] ?? ""));
  const removeSnapshot = await timed(50, (index) => user.deleteSnapshot(snapshots[index] ?? ""));
  return {
    memoryMiB,
    times: {
      CreateVolume: create,
      "CreateSnapshot, idle": snapshot,
      "CreateSnapshot, in use": inUse,
      "CreateVolume, restore": restore,
      DeleteVolume: remove,
      DeleteSnapshot: removeSnapshot,
      "NodeStageVolume, with mkfs.ext4": stage,
      "NodeStageVolume, formatted": restage,
      NodePublishVolume: publish,
      NodeUnpublishVolume: unpublish,
      NodeUnstageVolume: unstage,
      NodeGetVolumeStats: stats,
      "ListVolumes, 100 of 1,100": list,
      GetCapacity: capacity,
      "dmthin info, 1,100 volumes and 200 snapshots": info,
      "dmthin volume ls, each measured": measured,
    },
  };
}

/** How a volume with 4 GiB mapped goes, and how long others wait meanwhile. */
export async function timeBigDelete(
  client: LeanClient,
  folder: string,
  discard: boolean,
): Promise<{ readonly deleteMs: number; readonly others: readonly number[] }> {
  const user = new VolumeUser(client, folder);
  const big = await user.create(`big-${discard}`, 5 * GiB);
  await client.call("ControllerModifyVolume", { volume_id: big, mutable_parameters: { discardOnDelete: String(discard) } });
  await user.stage(big);
  const target = await user.publish(big);
  await fill(`${target}/data`, 4 * GiB);
  await user.release(big);
  const others: number[] = [];
  const begun = performance.now();
  let deleteMs = Number.NaN;
  const deletion = user.delete(big).then(() => (deleteMs = performance.now() - begun));
  for (let index = 0; index === 0 || Number.isNaN(deleteMs); index++) {
    const [time = 0] = await timed(1, async () => user.delete(await user.create(`other-${index}`, GiB)));
    others.push(time);
  }
  await deletion;
  return { deleteMs, others };
}

async function fill(path: string, bytes: number): Promise<void> {
  const { open } = await import("node:fs/promises");
  const file = await open(path, "w");
  const block = Buffer.alloc(8 * 1024 ** 2, "b");
  for (let written = 0; written < bytes; written += block.length) await file.write(block);
  await file.sync();
  await file.close();
}

/** Resident memory of the process, in MiB. */
export function residentMiB(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number((Number(kibibytes) / 1024).toFixed(1));
}
