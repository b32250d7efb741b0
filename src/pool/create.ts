import type { ThinRecord, VolumeRecord } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import { requireRoom, requireRoomForCopies } from "./admission.ts";
import { requireNotRunning } from "./snapshots.ts";
import type { Freezer, Thaw } from "./freezer.ts";
import type { NewVolume } from "./pool-calls.ts";
import { readyThin } from "./records.ts";
import { pastForeignNumbers } from "./transition.ts";
import type { Workbench } from "./workbench.ts";

/** A blank volume is one message to the kernel; a restore or a clone is a snapshot of its source. Nothing is activated or formatted. */
export async function createVolume(bench: Workbench, freezer: Freezer, volume: NewVolume): Promise<VolumeRecord> {
  const { origin } = volume;
  return pastForeignNumbers(bench.parts.logger, async () => {
    if (existing(bench, volume.id) !== undefined || origin.kind === "blank") return bench.mailbox.run(() => make(bench, volume, undefined));
    return freezer.whileFrozen([origin.id], (thaw) =>
      bench.mailbox.runNext(() => make(bench, volume, { record: readyThin(bench.catalog.thins, origin.id), thaw })),
    );
  });
}

async function make(bench: Workbench, volume: NewVolume, source: { readonly record: ThinRecord; readonly thaw: Thaw } | undefined): Promise<VolumeRecord> {
  const found = existing(bench, volume.id);
  if (found !== undefined) return found;
  const figures = bench.publishFigures();
  requireRoom(bench.parts.description, figures);
  if (source !== undefined) requireRoomForCopies(bench, figures, { ids: [source.record.id], isVolume: true });
  const [number = 0] = bench.catalog.nextNumbers(1);
  const abandon = source?.thaw;
  const made = await bench.transitions.run({
    kind: source === undefined ? "create" : "snapshot",
    ids: [volume.id],
    numbers: [number],
    kernel: source === undefined ? [{ name: "create_thin", run: () => bench.device.createThin(number) }] : copy(bench, number, source),
    ...(abandon === undefined ? {} : { abandon }),
    end: (writer, transactionId) => {
      const record = describe(volume, source?.record, number, transactionId);
      writer.putThin(record);
      return record;
    },
  });
  bench.mapped.note(made.id, source === undefined ? 0 : bench.mapped.of(source.record.id));
  bench.publish({ kind: "thin", record: made });
  return made;
}

const copy = (bench: Workbench, number: number, { record, thaw }: { readonly record: ThinRecord; readonly thaw: Thaw }) => [
  {
    name: "create_snap",
    run: () => {
      requireNotRunning(bench.thins, record);
      bench.device.createSnap(number, record.number);
    },
  },
  { name: "resume", run: thaw },
];

function existing(bench: Workbench, id: string): VolumeRecord | undefined {
  const found = bench.catalog.thins.get(id);
  if (found?.state === "deleting") throw new DmthinError({ code: "being-deleted", kind: "volume", id });
  return found?.kind === "volume" ? found : undefined;
}

/** A copy carries its source's filesystem: one that is larger is grown when staged, and btrfs gets an fsid of its own then. */
function describe(volume: NewVolume, source: ThinRecord | undefined, number: number, transactionId: number): VolumeRecord {
  const filesystem = source?.filesystem ?? { type: volume.filesystem, state: "none" as const };
  const isFormatted = filesystem.state !== "none";
  const sourceIsBehind = source?.kind === "volume" && source.growFilesystem;
  return {
    kind: "volume",
    id: volume.id,
    name: volume.name,
    number,
    sizeBytes: volume.sizeBytes,
    createdAt: new Date(),
    transactionId,
    state: "ready",
    filesystem,
    origin: volume.origin,
    capabilities: volume.capabilities,
    mkfsOptions: volume.mkfsOptions,
    parameters: volume.parameters,
    renewIdentity: isFormatted && filesystem.type === "btrfs",
    growFilesystem: isFormatted && source !== undefined && (volume.sizeBytes > source.sizeBytes || sourceIsBehind),
    staging: undefined,
    publications: [],
  };
}
