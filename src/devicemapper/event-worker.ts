import { Buffer } from "node:buffer";
import { parentPort, workerData } from "node:worker_threads";
import { toPlain, type PlainError } from "../errors.ts";
import { closeDescriptor, openDescriptor } from "../linux/descriptor.ts";
import { ioctl } from "../linux/ioctl.ts";
import { pollReadable } from "../linux/poll.ts";
import { encodeRequest } from "./ioctl-buffer.ts";
import { COMMAND, CONTROL_PATH, HEADER_SIZE, requestNumber } from "./ioctl-commands.ts";

export interface EventWorkerData {
  /** The end of a pipe to read from: when the other end is closed, the thread ends. */
  readonly stopFd: number;
  /** How long the thread may be deaf to being terminated instead. */
  readonly timeLimitMs: number;
}

/** Something happened, or why nothing more will be told. */
export type EventNews = "event" | PlainError;

const { stopFd, timeLimitMs } = workerData as EventWorkerData;
const tell = (news: EventNews): void => parentPort?.postMessage(news);

function arm(control: number): void {
  const data = Buffer.alloc(HEADER_SIZE);
  encodeRequest(data, {});
  ioctl(control, requestNumber(COMMAND.armPoll), data, "arm poll", CONTROL_PATH);
}

/** Answers false when it is time to stop. */
function waitForEvent(control: number): boolean {
  for (;;) {
    const readable = pollReadable([control, stopFd], timeLimitMs);
    if (readable.has(stopFd)) return false;
    if (readable.has(control)) return true;
  }
}

try {
  const control = openDescriptor(CONTROL_PATH, "read-write");
  // Armed first, told then: what happens while the news is looked at is the next event, and not lost.
  do {
    arm(control);
    tell("event");
  } while (waitForEvent(control));
  closeDescriptor(control);
} catch (error) {
  tell(toPlain(error));
}
