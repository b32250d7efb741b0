import type { VolumeRecord } from "../catalog/records.ts";
import { DmthinError, isErrno, isError } from "../errors.ts";
import type { FilesystemType } from "../filesystem/filesystems.ts";
import type { ActiveDevice } from "../pool/pool-calls.ts";
import type { Pool } from "../pool/pool.ts";
import { isReadOnly } from "./capabilities.ts";
import { mountsAt, ofFilesystem, requireIdentity, strangersMount } from "./mount-points.ts";
import { requireTime } from "./operations.ts";
import type { Parts } from "./parts.ts";
import { needsProbe, stagingPlan } from "./staging-plan.ts";
import type { Call, StageWanted } from "./volumes.ts";
import { xfsRetries } from "./xfs-retries.ts";

/** One volume on its way to being mounted. */
interface Staged {
  readonly parts: Parts;
  readonly pool: Pool;
  readonly record: VolumeRecord;
  readonly type: FilesystemType;
  readonly device: ActiveDevice;
  readonly call: Call;
}

/** Activates, makes what is missing, mounts and grows. What is done already is found done. */
export async function mountStaged(parts: Parts, pool: Pool, record: VolumeRecord, { id, path, capability }: StageWanted, call: Call): Promise<void> {
  const { type } = record.filesystem;
  if (type === undefined) throw new Error(`volume ${id} has no filesystem to mount`);
  const device = await pool.calls.activate(id, { readOnly: false });
  const staged = { parts, pool, record, type, device, call };
  const { top } = await mountsAt(parts.filesystems, path, ofFilesystem(parts.filesystems, id));
  if (top === "stranger") throw strangersMount(path);
  const ready = top === "ours" ? record : await prepare(staged);
  if (top === "nothing") await mount(staged, path, { readOnly: isReadOnly(capability), options: capability.mountFlags });
  if (ready.growFilesystem && !isReadOnly(capability)) {
    await parts.filesystems.grow(type, device.path, path);
    await pool.calls.setFilesystem(id, { growFilesystem: false });
  }
  if (type !== "xfs") return;
  const retries = xfsRetries(record, pool.view.figures);
  if (retries !== "default" || top === "ours") await parts.filesystems.setXfsNospaceRetries(device.major, device.minor, retries);
}

/** Leaves the right filesystem on the device, or throws "foreign-content". Answers the record as it then is. */
async function prepare(staged: Staged): Promise<VolumeRecord> {
  const { parts, record, device, call } = staged;
  requireTime(call, `staging of volume ${record.id}`);
  await requireIdentity(parts.filesystems, record.id, device);
  const probed = needsProbe(record.filesystem, device) ? await parts.filesystems.probe(device.path, call.signal) : undefined;
  const plan = stagingPlan(record.filesystem, device, probed);
  switch (plan.kind) {
    case "refuse":
      throw new DmthinError({ code: "foreign-content", id: record.id, expected: plan.expected, found: plan.found });
    case "format":
      return format(staged);
    case "use":
      return check(staged);
  }
}

/** `formatting` is on disk before mkfs begins: one that is killed half way looks like a filesystem, and is none. */
async function format({ parts, pool, record, type, device, call }: Staged): Promise<VolumeRecord> {
  if (record.filesystem.state !== "formatting") await pool.calls.setFilesystem(record.id, { state: "formatting" });
  await requireIdentity(parts.filesystems, record.id, device);
  await namingOptions(record, type, async () => parts.filesystems.make(type, device.path, record.mkfsOptions, call.signal));
  return pool.calls.setFilesystem(record.id, { state: "formatted", renewIdentity: false, growFilesystem: false });
}

/** What mkfs refuses may be what the volume's owner asked for: then the error says so, since they cannot know what we add. */
async function namingOptions({ id, mkfsOptions }: VolumeRecord, filesystem: FilesystemType, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (mkfsOptions.length === 0 || !isError(error, "program-failed") || error.facts.exitCode === undefined) throw error;
    throw new DmthinError({ code: "mkfs-refused", id, filesystem, mkfsOptions, reason: error.facts.stderr.trim() }, { cause: error });
  }
}

/** A check is not ended with its call: one that its caller's time limit kills would begin anew with each repeat, and never end. */
async function check({ parts, pool, record, type, device }: Staged): Promise<VolumeRecord> {
  await unlessLive(parts, record, async () => parts.filesystems.check(type, device.path));
  if (!record.renewIdentity) return record;
  await requireIdentity(parts.filesystems, record.id, device);
  await parts.filesystems.renewIdentity(type, device.path);
  return pool.calls.setFilesystem(record.id, { renewIdentity: false });
}

/** A device that a lazy unmount left open has a live filesystem: that one is not checked, but mounted again. */
async function unlessLive({ logger }: Parts, { id }: VolumeRecord, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isErrno(error, "EBUSY")) throw error;
    logger.info("the volume is still open from an earlier staging, and is mounted without a check", { id });
  }
}

async function mount(
  { parts, record, type, device, call }: Staged,
  target: string,
  how: { readonly readOnly: boolean; readonly options: readonly string[] },
): Promise<void> {
  requireTime(call, `staging of volume ${record.id}`);
  await parts.filesystems.makeTarget(target, "directory");
  await requireIdentity(parts.filesystems, record.id, device);
  await parts.filesystems.mount({ device: device.path, target, type, ...how }, call.signal);
}
