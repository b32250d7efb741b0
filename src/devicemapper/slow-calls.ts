import { Buffer } from "node:buffer";
import type { BlockingThreads } from "../linux/blocking-threads.ts";
import type { Bytes } from "../units.ts";
import type { SlowCall, SlowCalls } from "./device-mapper.ts";
import { encodeRequest } from "./ioctl-buffer.ts";
import { COMMAND, CONTROL_PATH, FLAG, HEADER_SIZE, requestNumber } from "./ioctl-commands.ts";

/** _IO(0x12, 119), with start and length in bytes as two u64. Source: include/uapi/linux/fs.h. */
const BLKDISCARD = 0x1277;

/** On threads that several owners may share: `close` ends them for all. */
export class KernelSlowCalls implements SlowCalls {
  readonly #threads: BlockingThreads;

  constructor(threads: BlockingThreads) {
    this.#threads = threads;
  }

  suspend(uuid: string, deadlineMs: number): SlowCall {
    const data = Buffer.alloc(HEADER_SIZE);
    encodeRequest(data, { uuid, flags: FLAG.suspend });
    return this.#ioctl(CONTROL_PATH, requestNumber(COMMAND.suspend), data, "suspend", uuid, deadlineMs);
  }

  discard(devicePath: string, from: Bytes, length: Bytes, deadlineMs: number): SlowCall {
    const range = Buffer.alloc(16);
    range.writeBigUInt64LE(BigInt(from), 0);
    range.writeBigUInt64LE(BigInt(length), 8);
    return this.#ioctl(devicePath, BLKDISCARD, range, "discard", devicePath, deadlineMs);
  }

  syncFilesystem(mountPoint: string, deadlineMs: number): SlowCall {
    return this.#threads.run({ kind: "syncfs", path: mountPoint }, deadlineMs);
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  #ioctl(path: string, request: number, data: Buffer, operation: string, subject: string, deadlineMs: number): SlowCall {
    const { done, outcome } = this.#threads.run({ kind: "ioctl", path, request, data, operation, subject }, deadlineMs);
    const ended = done.then(() => undefined);
    // Whoever waits for the outcome only must not be ended by a rejection that nobody looks at.
    ended.catch(() => undefined);
    return { done: ended, outcome };
  }
}
