import { BroadcastChannel, parentPort, workerData } from "node:worker_threads";
import type { FromWorker, PoolWorkerData, ToWorker } from "../../../../src/pool/worker/worker-messages.ts";

/** What a test has a worker say, or that it ends. */
export type Cue = FromWorker | "end";

/** A pool's worker that serves at once, answers nothing, and lasts, whatever it is asked, until the channel with its pool's name tells it to end. */
const { description } = workerData as PoolWorkerData;
const channel = new BroadcastChannel(description.name);
const tell = (message: FromWorker): void => parentPort?.postMessage([message]);
channel.addEventListener("message", (event) => {
  const cue = (event as { readonly data: Cue }).data;
  if (cue !== "end") return tell(cue);
  channel.close();
  parentPort?.close();
});
parentPort?.on("message", ({ kind }: ToWorker) => tell({ kind: "log", level: "info", message: kind, fields: {} }));
tell({ kind: "news", news: { kind: "catalog", poolUuid: "its uuid", thins: [], groups: [] } });
tell({ kind: "news", news: { kind: "status", status: { kind: "ready" } } });
