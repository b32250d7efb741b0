import { Buffer } from "node:buffer";
import { closeDescriptor, openDescriptor, openPipe } from "../linux/descriptor.ts";
import { ioctl } from "../linux/ioctl.ts";
import { untilReadable } from "../linux/poll.ts";
import { encodeRequest } from "./ioctl-buffer.ts";
import { COMMAND, CONTROL_PATH, HEADER_SIZE, requestNumber } from "./ioctl-commands.ts";

/** For how long the wait may keep a process that exits without `close` waiting. */
const TIME_LIMIT_MS = 1000;

export interface DeviceEventListener {
  /**
   * Something happened to some device: a mark was passed, a device came or went, the watch has begun. Several at once may
   * come as one; what it was stands in the status. Nothing is lost between a call and the next.
   */
  readonly onEvent: () => void;
  /** The watch has ended by itself: from now on only the clock tells when to look. */
  readonly onFailure: (error: Error) => void;
}

export interface DeviceEvents {
  /** Ends the watch: nothing is told from the call on. */
  close(): Promise<void>;
}

/** Watches all devices of the kernel, ours or not. It waits in one of libuv's threads, of which main.ts's first line has one more for it: an isolate of its own would take 6 MiB. */
export function watchDeviceEvents({ onEvent, onFailure }: DeviceEventListener): DeviceEvents {
  const { readFd, writeFd } = openPipe();
  let open = true;
  const stop = (): boolean => {
    const first = open;
    open = false;
    if (first) closeDescriptor(writeFd);
    return first;
  };
  const tell = (): void => {
    if (open) onEvent();
  };
  const ended = (async () => {
    try {
      await watch(readFd, tell);
    } catch (error) {
      if (stop()) onFailure(error instanceof Error ? error : new Error(String(error)));
    } finally {
      closeDescriptor(readFd);
    }
  })();
  return {
    close: async () => {
      stop();
      await ended;
    },
  };
}

/** Until the other end of `stopFd` is closed. */
async function watch(stopFd: number, tell: () => void): Promise<void> {
  await Promise.resolve(); // nothing is told before there is a watch to close
  const control = openDescriptor(CONTROL_PATH, "read-write");
  try {
    // Armed first, told then: what happens while the news is looked at is the next event, and not lost.
    do {
      arm(control);
      tell();
    } while (await waitForEvent(control, stopFd));
  } finally {
    closeDescriptor(control);
  }
}

function arm(control: number): void {
  const data = Buffer.alloc(HEADER_SIZE);
  encodeRequest(data, {});
  ioctl(control, requestNumber(COMMAND.armPoll), data, "arm poll", CONTROL_PATH);
}

/** Answers false when it is time to stop. */
async function waitForEvent(control: number, stopFd: number): Promise<boolean> {
  for (;;) {
    const readable = await untilReadable([control, stopFd], TIME_LIMIT_MS);
    if (readable.has(stopFd)) return false;
    if (readable.has(control)) return true;
  }
}
