/**
 * Writes test/unit/devicemapper/fixtures: what the running kernel answers, for the parsers' tests.
 * npm run lab -- node test/kernel/devicemapper/record.ts
 */
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { release } from "node:os";
import { encodeMessage, encodeRequest, type Request } from "../../../src/devicemapper/ioctl-buffer.ts";
import { COMMAND, CONTROL_PATH, FLAG, HEADER_SIZE, requestNumber, type Command } from "../../../src/devicemapper/ioctl-commands.ts";
import { createThin, RESERVE_METADATA_SNAP } from "../../../src/devicemapper/thin-messages.ts";
import { openDescriptor } from "../../../src/linux/descriptor.ts";
import { ioctl } from "../../../src/linux/ioctl.ts";
import { bytesToSectors, MiB, sectors, type Bytes } from "../../../src/units.ts";
import { linearTarget, pathOf, Rig } from "./rig.ts";

const control = openDescriptor(CONTROL_PATH, "read-write");
const buffers: Record<string, string> = {};
const statuses: Record<string, string> = {};

/** As much of the answer as the kernel says that it wrote; all of it when it did not fit. */
function recordBuffer(name: string, command: Command, request: Request, room = 4096): void {
  const buffer = Buffer.alloc(HEADER_SIZE + room);
  encodeRequest(buffer, request);
  ioctl(control, requestNumber(command), buffer, "record", name);
  const full = (buffer.readUInt32LE(28) & FLAG.bufferFull) !== 0;
  buffers[name] = buffer.subarray(0, full ? undefined : Math.max(buffer.readUInt32LE(12), HEADER_SIZE)).toString("base64");
}

function write(path: string, length: number): string {
  const fd = openSync(path, "r+");
  try {
    for (let at = 0; at < length; at += MiB) writeSync(fd, Buffer.alloc(MiB, 7), 0, MiB, at);
    fsyncSync(fd);
    return "written";
  } catch (error) {
    return String(error);
  } finally {
    closeSync(fd);
  }
}

function withRig(work: (rig: Rig) => void): void {
  const rig = new Rig();
  try {
    work(rig);
  } finally {
    rig.dispose();
  }
}
const mebibytes = (count: number): Bytes => (count * MiB) as Bytes;

recordBuffer("emptyList", COMMAND.listDevices, { flags: FLAG.uuid });
recordBuffer("versions", COMMAND.listVersions, {});

withRig((rig) => {
  const { info: pool, metadata } = rig.pool({ features: ["error_if_no_space", "skip_block_zeroing"], dataBytes: mebibytes(16), lowWaterMark: 3 });
  rig.dm.message(pool.uuid, createThin(1));
  const thin = rig.thin(pool, 1, mebibytes(32));
  statuses["thinEmpty"] = rig.statusText(thin.uuid);
  rig.dm.create("no-uuid", "");
  const loop = rig.loop(mebibytes(8));
  const half = sectors(bytesToSectors(loop.sizeBytes) / 2);
  const two = rig.device("two", [
    { ...linearTarget(loop), length: half },
    { start: half, length: half, type: "error", parameters: "" },
  ]);
  recordBuffer("info", COMMAND.info, { uuid: thin.uuid });
  recordBuffer("list", COMMAND.listDevices, { flags: FLAG.uuid });
  recordBuffer("listTooSmall", COMMAND.listDevices, { flags: FLAG.uuid }, 64);
  recordBuffer("poolStatus", COMMAND.status, { uuid: pool.uuid });
  recordBuffer("poolTable", COMMAND.status, { uuid: pool.uuid, flags: FLAG.statusTable });
  recordBuffer("poolTableTooSmall", COMMAND.status, { uuid: pool.uuid, flags: FLAG.statusTable }, 48);
  recordBuffer("twoTargets", COMMAND.status, { uuid: two.uuid, flags: FLAG.statusTable });
  recordBuffer("message", COMMAND.message, { uuid: two.uuid, payload: encodeMessage("@stats_create - /4") });
  recordBuffer("messageWithoutAnswer", COMMAND.message, { uuid: pool.uuid, payload: encodeMessage(RESERVE_METADATA_SNAP) });
  rig.dm.remove(two.uuid);
  recordBuffer("removeNoUuid", COMMAND.remove, { name: "no-uuid" });
  statuses["heldRoot"] = rig.statusText(pool.uuid);
  write(pathOf(thin), 1 * MiB);
  statuses["thinMapped"] = rig.statusText(thin.uuid);
  console.log(write(pathOf(thin), 32 * MiB));
  statuses["outOfDataSpace"] = rig.statusText(pool.uuid);
  const block = Buffer.alloc(4096);
  readSync(openSync(metadata.path ?? "", "r"), block, 0, 4096, 0);
  buffers["superblock"] = block.toString("base64");
});
withRig((rig) => {
  const { info: pool } = rig.pool();
  const [live] = rig.dm.table(pool.uuid);
  if (live === undefined) throw new Error("the pool has no table");
  rig.dm.load(pool.uuid, [{ ...live, parameters: live.parameters.replace(/0$/, "1 read_only") }]);
  rig.dm.suspend(pool.uuid);
  rig.dm.resume(pool.uuid);
  console.log(rig.dm.table(pool.uuid));
  statuses["readOnly"] = rig.statusText(pool.uuid);
});
withRig((rig) => {
  statuses["ignoresDiscards"] = rig.statusText(rig.pool({ features: ["ignore_discard"] }).info.uuid);
});
for (const [name, features] of [
  ["Writes fail", "1 error_writes"],
  ["All fails", "1 error_reads"],
] as const) {
  withRig((rig) => {
    const below = rig.loop(mebibytes(4));
    const length = bytesToSectors(below.sizeBytes);
    const metadata = rig.linear("metadata", below);
    const { info: pool } = rig.pool({ metadata });
    rig.dm.message(pool.uuid, createThin(1));
    const thin = rig.thin(pool, 1, mebibytes(8));
    const broken =
      name === "Writes fail"
        ? { start: sectors(0), length, type: "flakey", parameters: `${below.major}:${below.minor} 0 0 100 ${features}` }
        : { start: sectors(0), length, type: "error", parameters: "" };
    rig.dm.load(metadata.uuid, [broken]);
    rig.dm.suspend(metadata.uuid, { skipFreeze: true, noFlush: true });
    rig.dm.resume(metadata.uuid);
    try {
      rig.dm.message(pool.uuid, createThin(2));
    } catch (error) {
      console.log(name, String(error));
    }
    statuses[name === "Writes fail" ? "needsCheck" : "failed"] = rig.statusText(pool.uuid);
    statuses[name === "Writes fail" ? "thinNeedsCheck" : "thinFailed"] = rig.statusText(thin.uuid);
    console.log(rig.dm.status(pool.uuid));
  });
}
const folder = new URL("../../unit/devicemapper/fixtures/", import.meta.url);
writeFileSync(new URL("kernel.json", folder), `${JSON.stringify({ kernel: release(), statuses, buffers }, undefined, 2)}\n`);
console.log(statuses);
