import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { fromPlain } from "../errors.ts";
import { closeDescriptor, openPipe } from "../linux/descriptor.ts";
import { SMALL_WORKER, workerEntry } from "../linux/worker-entry.ts";
import type { EventNews, EventWorkerData } from "./event-worker.ts";

/** For how long the thread may keep a process that exits without `close` waiting. */
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

/** Watches all devices of the kernel, ours or not, in a thread of its own. */
export function watchDeviceEvents({ onEvent, onFailure }: DeviceEventListener): DeviceEvents {
  const { readFd, writeFd } = openPipe();
  const workerData: EventWorkerData = { stopFd: readFd, timeLimitMs: TIME_LIMIT_MS };
  const worker = new Worker(workerEntry("event-worker"), { name: "events", workerData, resourceLimits: SMALL_WORKER });
  worker.unref();
  let open = true;
  const stop = (): boolean => {
    const first = open;
    open = false;
    if (first) closeDescriptor(writeFd);
    return first;
  };
  const fail = (error: Error): void => {
    if (stop()) onFailure(error);
  };
  worker.on("message", (news: EventNews) => {
    if (news !== "event") fail(fromPlain(news));
    else if (open) onEvent();
  });
  worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  const ended = once(worker, "exit").then(() => {
    fail(new Error("the thread that watches device events has ended"));
    closeDescriptor(readFd);
    return undefined;
  });
  return {
    close: async () => {
      stop();
      await ended;
    },
  };
}
