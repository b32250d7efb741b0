import type { GroupRecord, SnapshotRecord, ThinRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { requireRoom, requireRoomForCopies } from "./admission.ts";
import type { Freezer, Thaw } from "./freezer.ts";
import type { NewSnapshot } from "./pool-calls.ts";
import { readyThin } from "./records.ts";
import type { ThinDevices } from "./thin-device.ts";
import { pastForeignNumbers, type KernelStep } from "./transition.ts";
import type { Workbench } from "./workbench.ts";

type NewGroup = { readonly id: string; readonly name: string } | undefined;

/** One moment for all that are wanted. Snapshots that exist already are answered as they are. */
export async function createSnapshots(bench: Workbench, freezer: Freezer, wanted: readonly NewSnapshot[], group: NewGroup): Promise<readonly SnapshotRecord[]> {
  return pastForeignNumbers(bench.parts.logger, async () => {
    const sourceIds = existing(bench, wanted) === undefined ? wanted.map(({ sourceVolumeId }) => sourceVolumeId) : [];
    return freezer.whileFrozen(sourceIds, (thaw) => bench.mailbox.runNext(() => make(bench, wanted, group, thaw)));
  });
}

/** The kernel takes a snapshot of a running origin too, and loses what was not written yet: so it is not asked to. */
export function requireNotRunning(thins: ThinDevices, origin: ThinRecord): void {
  const info = thins.info(origin.id);
  if (info?.hasActiveTable !== true || info.suspended) return;
  throw new DmthinError({ code: "in-progress", kind: origin.kind, id: origin.id, operation: "activation" });
}

async function make(bench: Workbench, wanted: readonly NewSnapshot[], group: NewGroup, thaw: Thaw): Promise<readonly SnapshotRecord[]> {
  const found = existing(bench, wanted);
  if (found !== undefined) return found;
  const figures = bench.publishFigures();
  requireRoom(bench.parts.description, figures);
  requireRoomForCopies(bench, figures, { ids: wanted.map(({ sourceVolumeId }) => sourceVolumeId), isVolume: false });
  const numbers = bench.catalog.nextNumbers(wanted.length);
  const members = wanted.map((snapshot, index) => ({
    snapshot,
    number: numbers[index] ?? 0,
    source: readyThin(bench.catalog.thins, snapshot.sourceVolumeId),
  }));
  const createdAt = new Date();
  const made = await bench.transitions.run({
    kind: "snapshot",
    ids: wanted.map(({ id }) => id),
    numbers,
    kernel: [...members.map((member) => snap(bench, member)), { name: "resume", run: thaw }],
    abandon: thaw,
    end: (writer, transactionId) => {
      const records = members.map((member) => describe(member, { createdAt, transactionId, groupId: group?.id }));
      for (const record of records) writer.putThin(record);
      if (group !== undefined) writer.putGroup(describeGroup(group, createdAt, wanted));
      return records;
    },
  });
  announce(bench, made, group);
  return made;
}

interface Member {
  readonly snapshot: NewSnapshot;
  readonly number: number;
  readonly source: ThinRecord;
}

const snap = (bench: Workbench, { snapshot, number, source }: Member): KernelStep => ({
  name: `create_snap ${snapshot.id}`,
  run: () => {
    requireNotRunning(bench.thins, source);
    bench.device.createSnap(number, source.number);
  },
});

function existing(bench: Workbench, wanted: readonly NewSnapshot[]): readonly SnapshotRecord[] | undefined {
  const records = wanted.map(({ id }) => bench.catalog.thins.get(id));
  const deleting = records.find((record) => record?.state === "deleting");
  if (deleting !== undefined) throw new DmthinError({ code: "being-deleted", kind: "snapshot", id: deleting.id });
  const snapshots = records.filter((record) => record?.kind === "snapshot");
  return snapshots.length === wanted.length ? snapshots : undefined;
}

function describe({ snapshot, number, source }: Member, made: Pick<SnapshotRecord, "createdAt" | "transactionId" | "groupId">): SnapshotRecord {
  const { id, name, sourceVolumeId } = snapshot;
  return { kind: "snapshot", id, name, number, sizeBytes: source.sizeBytes, state: "ready", filesystem: source.filesystem, sourceVolumeId, ...made };
}

const describeGroup = (group: { readonly id: string; readonly name: string }, createdAt: Date, members: readonly NewSnapshot[]): GroupRecord => ({
  ...group,
  createdAt,
  snapshotIds: members.map(({ id }) => id),
  sourceVolumeIds: members.map(({ sourceVolumeId }) => sourceVolumeId),
});

function announce(bench: Workbench, made: readonly SnapshotRecord[], group: NewGroup): void {
  for (const record of made) bench.publish({ kind: "thin", record });
  const record = group === undefined ? undefined : bench.catalog.groups.get(group.id);
  if (record !== undefined) bench.publish({ kind: "group", record });
  bench.publishFigures();
}
