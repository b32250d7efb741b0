import type { PoolDescription } from "../../config/pool-description.ts";
import type { PlainError } from "../../errors.ts";
import type { LogFields } from "../../logger.ts";
import type { PoolCalls, PoolNews } from "../pool-calls.ts";

/** What crosses between the main thread and a pool's worker: plain data, both ways. */
export interface PoolWorkerData {
  readonly description: PoolDescription;
  /** The folder of the pool's catalogue. */
  readonly stateDirectory: string;
  readonly bootId: string;
  /** See take-back.ts. */
  readonly recordedUuids: readonly string[];
  /** The pool's lock, held by this process. */
  readonly lockFd: number;
  /** Where LVM's own is. */
  readonly lvmLock: string;
  /** The dead man's handle that started this process, if one did. */
  readonly deadManFd: number | undefined;
}

export type CallName = keyof PoolCalls;

export type ToWorker = { readonly kind: "call"; readonly id: number; readonly name: CallName; readonly args: readonly unknown[] } | { readonly kind: "close" };

/** Sent several at a time, in order. */
export type FromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: PlainError }
  | { readonly kind: "news"; readonly news: PoolNews }
  | { readonly kind: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly message: string; readonly fields: LogFields };
