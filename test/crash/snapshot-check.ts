import { readFile } from "node:fs/promises";
import { volumeId } from "../../src/volumes/ids.ts";
import { run } from "../../src/exec/run.ts";
import { SIZE, type Bench } from "./bench.ts";

const RECORD_BYTES = 512;
const MOUNT_POINT = "/run/dmthin-crash/snapshot";

/**
 * A snapshot of a filesystem in use, as writer.mjs uses it, is one moment's: its filesystem was frozen, so that it is clean
 * without its journal; the application's file has every record up to some last one, which is not before `atLeast`.
 */
export async function expectWhole(bench: Bench, snapshotId: string, atLeast: number): Promise<void> {
  const id = volumeId(`check ${snapshotId}`);
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  const origin = { kind: "snapshot", id: snapshotId } as const;
  const { calls } = bench.pool;
  await calls.createVolume({ id, name: id, sizeBytes: SIZE, origin, filesystem: "ext4", capabilities: [], mkfsOptions: [], parameters });
  const { path } = await calls.activate(id, { readOnly: false });
  const { stdout, stderr } = await run(["e2fsck", "-f", "-n", path]);
  if (/recover/i.test(stdout + stderr)) throw new Error(`the filesystem was not frozen when it was snapshotted:\n${stdout}${stderr}`);
  await bench.mount(path, MOUNT_POINT);
  const last = lastRecord(await readFile(`${MOUNT_POINT}/records`));
  await bench.unmount(MOUNT_POINT);
  if (last < atLeast) throw new Error(`the snapshot ends with record ${last}, and record ${atLeast} was on disk before it was asked for`);
  await calls.deactivate(id);
  await calls.remove(id);
}

/** Throws when a record is torn, or missing between others. */
function lastRecord(content: Buffer): number {
  const numbers = Array.from({ length: Math.floor(content.length / RECORD_BYTES) }, (_, slot) => numberAt(content, slot));
  const last = Math.max(0, ...numbers);
  for (const [slot, number] of numbers.entries()) {
    const round = Math.floor((last - 1 - slot) / numbers.length);
    const expected = slot + 1 + round * numbers.length;
    // The file has its full size only after its first round: until then its last slot is the last record's.
    if (number !== expected) throw new Error(`record ${number} is where record ${expected} should be, and the last one is ${last}`);
  }
  return last;
}

function numberAt(content: Buffer, slot: number): number {
  const record = content.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES);
  const number = Number(record.readBigUInt64LE(0));
  if (!record.subarray(8).every((byte) => byte === number % 251)) throw new Error(`record ${number} is torn`);
  return number;
}
