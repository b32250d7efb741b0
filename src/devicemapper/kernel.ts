import { Buffer } from "node:buffer";
import { DmthinError, isErrno } from "../errors.ts";
import { closeDescriptor, openDescriptor } from "../linux/descriptor.ts";
import { ioctl } from "../linux/ioctl.ts";
import type { DeviceInfo, DeviceMapper, DeviceMapperVersions, ListedDevice, Target, TargetStatus } from "./device-mapper.ts";
import {
  decodeInfo,
  decodeInterfaceVersion,
  decodeMessageAnswer,
  decodeNames,
  decodeTargets,
  decodeTargetVersions,
  encodeMessage,
  encodeRequest,
  encodeTargets,
  isBufferFull,
  type DecodedTarget,
  type Request,
} from "./ioctl-buffer.ts";
import { COMMAND, CONTROL_PATH, FLAG, HEADER_SIZE, requestNumber, type Command } from "./ioctl-commands.ts";

/** Enough for the answer of most calls: the kernel copies all of it, there and back, so it is not larger. */
const ROOM = 2048;
const LARGEST = 64 * 1024 * 1024;

/** The real one. Opens the control file at the first call. */
export class KernelDeviceMapper implements DeviceMapper {
  /** One buffer for all calls: each has decoded its answer before the next begins. */
  #scratch = Buffer.alloc(HEADER_SIZE + ROOM);
  /** As much as the last list took: the next will need about the same. */
  #listRoom = 8 * ROOM;
  #control: number | undefined;

  versions(): DeviceMapperVersions {
    const answer = this.#ask("list versions", "the targets", COMMAND.listVersions, {}, 2 * ROOM);
    return { interface: decodeInterfaceVersion(answer), targets: decodeTargetVersions(answer) };
  }

  list(): readonly ListedDevice[] {
    const answer = this.#ask("list", "all devices", COMMAND.listDevices, { flags: FLAG.uuid }, this.#listRoom);
    this.#listRoom = answer.length - HEADER_SIZE;
    return decodeNames(answer);
  }

  info(uuid: string): DeviceInfo | undefined {
    try {
      return decodeInfo(this.#call("info", uuid, COMMAND.info, { uuid }));
    } catch (error) {
      if (isErrno(error, "ENXIO")) return undefined;
      throw error;
    }
  }

  create(name: string, uuid: string): DeviceInfo {
    return decodeInfo(this.#call("create", name, COMMAND.create, { name, uuid }));
  }

  load(uuid: string, table: readonly Target[], options: { readonly readOnly?: boolean } = {}): void {
    const flags = options.readOnly === true ? FLAG.readOnly : 0;
    this.#call("load", uuid, COMMAND.load, { uuid, flags, targetCount: table.length, payload: encodeTargets(table) });
  }

  clear(uuid: string): void {
    this.#call("clear", uuid, COMMAND.clear, { uuid });
  }

  suspend(uuid: string, options: { readonly noFlush?: boolean; readonly skipFreeze?: boolean } = {}): void {
    const flags = FLAG.suspend | (options.noFlush === true ? FLAG.noFlush : 0) | (options.skipFreeze === true ? FLAG.skipLockFs : 0);
    this.#call("suspend", uuid, COMMAND.suspend, { uuid, flags });
  }

  resume(uuid: string): void {
    this.#call("resume", uuid, COMMAND.suspend, { uuid });
  }

  remove(uuid: string, options: { readonly deferred?: boolean } = {}): void {
    this.#call("remove", uuid, COMMAND.remove, { uuid, flags: options.deferred === true ? FLAG.deferredRemove : 0 });
  }

  message(uuid: string, text: string): string {
    // Never repeated with a larger buffer: the message would be sent twice.
    const answer = this.#call(`message "${text}"`, uuid, COMMAND.message, { uuid, payload: encodeMessage(text) });
    if (isBufferFull(answer)) throw new DmthinError({ code: "kernel-failed", operation: `message "${text}"`, subject: uuid, errno: "ENOBUFS" });
    return decodeMessageAnswer(answer);
  }

  table(uuid: string): readonly Target[] {
    return this.#targets("table", uuid, FLAG.statusTable).map(({ text, ...target }) => ({ ...target, parameters: text }));
  }

  status(uuid: string, options: { readonly noFlush?: boolean } = {}): readonly TargetStatus[] {
    return this.#targets("status", uuid, options.noFlush === true ? FLAG.noFlush : 0).map(({ text, ...target }) => ({ ...target, status: text }));
  }

  /** Closes the control file; the next call opens it again. */
  close(): void {
    if (this.#control !== undefined) closeDescriptor(this.#control);
    this.#control = undefined;
  }

  #targets(operation: string, uuid: string, flags: number): readonly DecodedTarget[] {
    return decodeTargets(this.#ask(operation, uuid, COMMAND.status, { uuid, flags }, ROOM));
  }

  /** For what can be asked twice: again with more room until the answer fits. */
  #ask(operation: string, subject: string, command: Command, request: Request, room: number): Buffer {
    const answer = this.#call(operation, subject, command, request, room);
    if (!isBufferFull(answer)) return answer;
    if (room >= LARGEST) throw new DmthinError({ code: "kernel-failed", operation, subject, errno: "ENOBUFS" });
    return this.#ask(operation, subject, command, request, room * 2);
  }

  #call(operation: string, subject: string, command: Command, request: Request, room = ROOM): Buffer {
    const size = HEADER_SIZE + Math.max(room, request.payload?.length ?? 0);
    if (this.#scratch.length < size) this.#scratch = Buffer.alloc(size);
    const buffer = this.#scratch.subarray(0, size);
    encodeRequest(buffer, request);
    this.#control ??= openDescriptor(CONTROL_PATH, "read-write");
    ioctl(this.#control, requestNumber(command), buffer, operation, subject);
    return buffer;
  }
}
