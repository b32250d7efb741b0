import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";

interface Recorded {
  readonly kernel: string;
  readonly statuses: Readonly<Record<string, string>>;
  readonly buffers: Readonly<Record<string, string>>;
}

const recorded = JSON.parse(readFileSync(new URL("fixtures/kernel.json", import.meta.url), "utf8")) as Recorded;

/** What a real kernel said (test/kernel/devicemapper/record.ts). */
export function recordedStatus(name: string): string {
  const status = recorded.statuses[name];
  if (status === undefined) throw new Error(`no status ${name} was recorded`);
  return status;
}

/** What a real kernel answered; with `room` behind it, as the buffer of a real call has. */
export function recordedBuffer(name: string, room = 0): Buffer {
  const buffer = recorded.buffers[name];
  if (buffer === undefined) throw new Error(`no buffer ${name} was recorded`);
  return Buffer.concat([Buffer.from(buffer, "base64"), Buffer.alloc(room, 0xff)]);
}
