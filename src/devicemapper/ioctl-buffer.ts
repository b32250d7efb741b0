import { Buffer } from "node:buffer";
import { sectors, type Sectors } from "../units.ts";
import type { DeviceInfo, DeviceNumber, ListedDevice, Target } from "./device-mapper.ts";
import { FLAG, HEADER_SIZE, NAME_SIZE, UUID_SIZE } from "./ioctl-commands.ts";

/**
 * The buffers of the kernel's interface: a struct dm_ioctl, then what the command takes or answers. Little endian, every
 * record at a multiple of 8. Source: include/uapi/linux/dm-ioctl.h, and drivers/md/dm-ioctl.c for what is answered.
 */
const OFFSET = {
  version: 0,
  dataSize: 12,
  dataStart: 16,
  targetCount: 20,
  openCount: 24,
  flags: 28,
  eventNumber: 32,
  device: 40,
  name: 48,
  uuid: 176,
} as const;
/** struct dm_target_spec: start, length, status, next, type[16]. */
const SPEC = { start: 0, length: 8, next: 20, type: 24, size: 40 } as const;
const TYPE_SIZE = 16;

const align = (offset: number): number => Math.ceil(offset / 8) * 8;

export interface Request {
  readonly name?: string;
  readonly uuid?: string;
  readonly flags?: number;
  readonly targetCount?: number;
  /** What follows the header. */
  readonly payload?: Buffer;
}

/** Fills the buffer from its start; its whole length is offered to the kernel for the answer. */
export function encodeRequest(buffer: Buffer, { name = "", uuid = "", flags = 0, targetCount = 0, payload }: Request): void {
  buffer.fill(0, 0, HEADER_SIZE);
  buffer.writeUInt32LE(4, OFFSET.version);
  buffer.writeUInt32LE(buffer.length, OFFSET.dataSize);
  buffer.writeUInt32LE(HEADER_SIZE, OFFSET.dataStart);
  buffer.writeUInt32LE(targetCount, OFFSET.targetCount);
  buffer.writeUInt32LE(flags, OFFSET.flags);
  writeText(buffer, name, OFFSET.name, NAME_SIZE, "device name");
  writeText(buffer, uuid, OFFSET.uuid, UUID_SIZE, "device uuid");
  payload?.copy(buffer, HEADER_SIZE);
}

/** What a load takes. */
export function encodeTargets(targets: readonly Target[]): Buffer {
  return Buffer.concat(
    targets.map(({ start, length, type, parameters }) => {
      const size = Buffer.byteLength(parameters) + 1;
      const spec = Buffer.alloc(align(SPEC.size + size));
      spec.writeBigUInt64LE(BigInt(start), SPEC.start);
      spec.writeBigUInt64LE(BigInt(length), SPEC.length);
      spec.writeUInt32LE(spec.length, SPEC.next);
      writeText(spec, type, SPEC.type, TYPE_SIZE, "target type");
      writeText(spec, parameters, SPEC.size, size, "target parameters");
      return spec;
    }),
  );
}

/** What a message takes: the sector whose target it is for, always the first here, and the text. */
export function encodeMessage(text: string): Buffer {
  const size = Buffer.byteLength(text) + 1;
  const message = Buffer.alloc(8 + size);
  writeText(message, text, 8, size, "message");
  return message;
}

/** Set when the answer did not fit: then it is incomplete. */
export const isBufferFull = (buffer: Buffer): boolean => hasFlag(buffer, FLAG.bufferFull);

/** Of the interface itself, such as "4.50.0". */
export const decodeInterfaceVersion = (buffer: Buffer): string => version(buffer, OFFSET.version);

export function decodeInfo(buffer: Buffer): DeviceInfo {
  return {
    ...deviceNumber(buffer, OFFSET.device),
    name: text(buffer, OFFSET.name),
    uuid: text(buffer, OFFSET.uuid),
    suspended: hasFlag(buffer, FLAG.suspend),
    readOnly: hasFlag(buffer, FLAG.readOnly),
    hasActiveTable: hasFlag(buffer, FLAG.activePresent),
    hasInactiveTable: hasFlag(buffer, FLAG.inactivePresent),
    deferredRemove: hasFlag(buffer, FLAG.deferredRemove),
    openCount: buffer.readInt32LE(OFFSET.openCount),
    eventNumber: buffer.readUInt32LE(OFFSET.eventNumber),
  };
}

export interface DecodedTarget {
  readonly start: Sectors;
  readonly length: Sectors;
  readonly type: string;
  /** Status or parameters, as was asked for. The kernel leaves a blank at the end of some lines; here there is none. */
  readonly text: string;
}

export function decodeTargets(buffer: Buffer): readonly DecodedTarget[] {
  const first = buffer.readUInt32LE(OFFSET.dataStart);
  const targets: DecodedTarget[] = [];
  // `next` counts from the first record here, unlike in what a load takes.
  for (let at = first, left = buffer.readUInt32LE(OFFSET.targetCount); left > 0; left -= 1) {
    targets.push({
      start: sectors(Number(buffer.readBigUInt64LE(at + SPEC.start))),
      length: sectors(Number(buffer.readBigUInt64LE(at + SPEC.length))),
      type: text(buffer, at + SPEC.type),
      text: text(buffer, at + SPEC.size).trimEnd(),
    });
    at = first + buffer.readUInt32LE(at + SPEC.next);
  }
  return targets;
}

/** All devices: struct dm_name_list, each followed by event number, flags and, asked for with the uuid flag, the uuid. */
export function decodeNames(buffer: Buffer): readonly ListedDevice[] {
  const HAS_UUID = 1;
  const devices: ListedDevice[] = [];
  if (!hasAnswer(buffer)) return devices;
  for (let at = buffer.readUInt32LE(OFFSET.dataStart), next = 1; next !== 0; at += next) {
    next = buffer.readUInt32LE(at + 8);
    const name = text(buffer, at + 12);
    const eventAt = align(at + 12 + Buffer.byteLength(name) + 1);
    const hasUuid = (buffer.readUInt32LE(eventAt + 4) & HAS_UUID) !== 0;
    devices.push({ ...deviceNumber(buffer, at), name, uuid: hasUuid ? text(buffer, eventAt + 8) : "" });
  }
  return devices;
}

/** Of each target that is loaded: struct dm_target_versions. */
export function decodeTargetVersions(buffer: Buffer): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  if (!hasAnswer(buffer)) return versions;
  for (let at = buffer.readUInt32LE(OFFSET.dataStart), next = 1; next !== 0; at += next) {
    next = buffer.readUInt32LE(at);
    versions.set(text(buffer, at + 16), version(buffer, at + 4));
  }
  return versions;
}

/** The text that a message was answered with: most are answered with none. */
export const decodeMessageAnswer = (buffer: Buffer): string => (hasFlag(buffer, FLAG.dataOut) ? text(buffer, buffer.readUInt32LE(OFFSET.dataStart)) : "");

/** The kernel copies back as much as it says: where that is no more than the header, what follows is left from another call. */
const hasAnswer = (buffer: Buffer): boolean => buffer.readUInt32LE(OFFSET.dataSize) > buffer.readUInt32LE(OFFSET.dataStart);

const hasFlag = (buffer: Buffer, flag: number): boolean => (buffer.readUInt32LE(OFFSET.flags) & flag) !== 0;

const version = (buffer: Buffer, at: number): string => [0, 4, 8].map((offset) => buffer.readUInt32LE(at + offset)).join(".");

/** The kernel's huge_encode_dev. Source: include/linux/kdev_t.h. */
function deviceNumber(buffer: Buffer, at: number): DeviceNumber {
  const encoded = buffer.readUInt32LE(at);
  return { major: (encoded >>> 8) & 0xfff, minor: (encoded & 0xff) | ((encoded >>> 12) & 0xfff00) };
}

function text(buffer: Buffer, at: number): string {
  const end = buffer.indexOf(0, at);
  return buffer.toString("utf8", at, end === -1 ? buffer.length : end);
}

/** `room` includes the NUL at the end. */
function writeText(buffer: Buffer, value: string, at: number, room: number, what: string): void {
  if (Buffer.byteLength(value) >= room || value.includes("\0")) {
    throw new RangeError(`${what} ${JSON.stringify(value)} is longer than ${room - 1} bytes, or holds a NUL`);
  }
  buffer.write(value, at);
}
