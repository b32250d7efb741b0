import { setTimeout } from "node:timers/promises";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { KernelDeviceMapper } from "../../devicemapper/kernel.ts";
import { KernelSlowCalls } from "../../devicemapper/slow-calls.ts";
import { ThinToolsPrograms } from "../../devicemapper/thin-tools-programs.ts";
import { isError, toPlain, withCauses } from "../../errors.ts";
import { run } from "../../exec/run.ts";
import { probe } from "../../filesystem/probe.ts";
import { BlockingThreads } from "../../linux/blocking-threads.ts";
import { unwrittenBytes } from "../../linux/unwritten.ts";
import { workerEntry } from "../../linux/worker-entry.ts";
import type { LogFields, Logger } from "../../logger.ts";
import { createBacking } from "../backings/create-backing.ts";
import { DeadManHandle } from "../dead-man.ts";
import { PoolEngine } from "../engine.ts";
import { wasNeverMade } from "../never-made.ts";
import { Outbox } from "./outbox.ts";
import { takeBack, type TakeBackParts } from "../take-back.ts";
import type { EngineParts } from "../engine-parts.ts";
import type { FromWorker, PoolWorkerData, ToWorker } from "./worker-messages.ts";

/** A pool's worker thread: the engine on the real kernel, behind messages. */
const RETRY_MS = 5_000;

async function serve(port: MessagePort, data: PoolWorkerData): Promise<void> {
  const outbox = new Outbox(port);
  const { tell } = outbox;
  const logger = forwardingLogger(tell, { pool: data.description.name });
  const dm = new KernelDeviceMapper();
  const below: TakeBackParts = { ...data, dm, logger, probe: (device, signal) => probe(run, device, signal) };
  const parts: EngineParts = {
    ...data,
    dm,
    slow: new KernelSlowCalls(new BlockingThreads({ entry: workerEntry("blocking-worker") })),
    tools: new ThinToolsPrograms(),
    backing: createBacking(data.description, below),
    deadMan: await DeadManHandle.start(data.deadManFd === undefined ? { lockFd: data.lockFd } : { inheritedFd: data.deadManFd }),
    logger,
    unwrittenBytes,
    observe: () => undefined,
  };
  const ending = new AbortController();
  const start = async (): Promise<PoolEngine> => {
    await takeBack(data.description, below, data.recordedUuids);
    return PoolEngine.start(parts, (news) => tell({ kind: "news", news }));
  };
  const made = async (): Promise<{ readonly neverMade?: true }> => ((await wasNeverMade(data.description, parts)) ? { neverMade: true } : {});
  const started = startUntilDecided({ start, made }, tell, logger, ending.signal);
  // Also for a pool that is refused: without a listener its worker would end, and be started again.
  port.on("message", (message: ToWorker) => {
    if (message.kind === "close") ending.abort();
    void (message.kind === "call" ? answer(started, message, tell) : close(started, parts, { port, outbox }));
  });
}

type Started = Promise<PoolEngine | undefined>;

interface Attempts {
  readonly start: () => Promise<PoolEngine>;
  /** After one that failed: what its status adds. */
  readonly made: () => Promise<{ readonly neverMade?: true }>;
}

/** What a person has to decide ends the attempts, as the driver's end does; all else may pass, such as a disk that comes up late. */
async function startUntilDecided({ start, made }: Attempts, tell: (message: FromWorker) => void, logger: Logger, ending: AbortSignal): Started {
  while (!ending.aborted) {
    try {
      return await start();
    } catch (error) {
      logger.error("the pool could not be started", { error });
      if (isError(error, "pool-refused") || isError(error, "catalog-refused")) {
        const { reason, remedy } = error.facts;
        tell({ kind: "news", news: { kind: "status", status: { kind: "refused", reason, remedy, ...(await made()) } } });
        return undefined;
      }
      tell({ kind: "news", news: { kind: "status", status: { kind: "recovering", reason: reasonOf(error), ...(await made()) } } });
      await setTimeout(RETRY_MS, undefined, { signal: ending }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Without "not ready, try again" around it: that is said by whoever tells the status. */
function reasonOf(error: unknown): string {
  if (isError(error, "pool-not-ready")) return error.facts.reason;
  return error instanceof Error ? error.message : String(error);
}

async function answer(started: Started, { id, name, args }: Extract<ToWorker, { kind: "call" }>, tell: (message: FromWorker) => void): Promise<void> {
  try {
    const engine = await started;
    if (engine === undefined) throw new Error("a pool that does not serve was called");
    const call = engine[name].bind(engine) as (...args: readonly unknown[]) => Promise<unknown>;
    tell({ kind: "answer", id, value: await call(...args) });
  } catch (error) {
    tell({ kind: "failure", id, error: toPlain(error) });
  }
}

async function close(started: Started, parts: EngineParts, { port, outbox }: { readonly port: MessagePort; readonly outbox: Outbox }): Promise<void> {
  await (await started)?.close();
  await parts.slow.close();
  parts.deadMan.close();
  outbox.flush();
  port.close();
}

/** Winston lives on the main thread. */
function forwardingLogger(tell: (message: FromWorker) => void, always: LogFields): Logger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      const plain = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? withCauses(value) : value]);
      tell({ kind: "log", level, message, fields: { ...always, ...(Object.fromEntries(plain) as LogFields) } });
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: (fields) => forwardingLogger(tell, { ...always, ...fields }) };
}

if (parentPort !== null) await serve(parentPort, workerData as PoolWorkerData);
