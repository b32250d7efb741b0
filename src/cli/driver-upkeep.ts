import { types } from "node:util";
import { socketIn } from "../config/path-rules.ts";
import { silence } from "./silence.ts";
import type { Terminal } from "./terminal.ts";
import type { VolumeInfo } from "./volume-info.ts";

/** What a running driver does to its pools when it is asked; sizes in bytes. What it refuses is rejected in its words. */
export interface DriverUpkeep {
  orphans(pool: string): Promise<readonly OrphanInfo[]>;
  adopt(pool: string, wanted: { readonly number: number; readonly name: string; readonly sizeBytes: number | undefined }): Promise<AdoptedInfo>;
  remove(pool: string, number: number): Promise<{ readonly waiting: boolean }>;
  makeKnown(volume: string, pool: string): Promise<ToClusterInfo>;
  addDevices(pool: string, paths: readonly string[]): Promise<void>;
  /** Of one pool, or of all where it is empty. */
  volumes(pool: string): Promise<{ readonly volumes: readonly VolumeSeen[]; readonly notServing: readonly string[] }>;
  /** Ends when the driver has done it, which can wait for others. `leftAlone`: why there was nothing to do, else empty. */
  trim(volumeId: string, pool: string): Promise<{ readonly givenBackBytes: number; readonly leftAlone: string }>;
  extend(pool: string, part: "data" | "metadata", target: ExtendTo): Promise<{ readonly fromBytes: number; readonly toBytes: number }>;
}

export type VolumeSeen = Pick<VolumeInfo, "id" | "name" | "pool" | "kind" | "stagedPath" | "deleting">;

export type ExtendTo = { readonly to: number } | { readonly by: number } | "max";

export interface ToClusterInfo {
  readonly id: string;
  /** What makes it known in its cluster, for kubectl; empty where there is none, or it is. */
  readonly manifest: string;
  /** Commands that let go of the object whose place the manifest takes. */
  readonly letGoFirst: readonly string[];
}

export interface AdoptedInfo extends ToClusterInfo {
  readonly sizeBytes: number;
  /** Empty for a block volume. */
  readonly filesystem: string;
}

/** For the driver behind a socket. */
export type AskUpkeep = (socket: string) => Promise<DriverUpkeep>;

export interface OrphanInfo {
  readonly number: number;
  readonly mappedBytes: number;
  readonly transactionId: number;
  readonly notBefore: Date | undefined;
  readonly notAfter: Date | undefined;
}

export interface UpkeepParts {
  readonly askUpkeep: AskUpkeep;
  readonly terminal: Terminal;
}

/** Answers the exit code. What the driver refuses, or why none answers, is said. */
export async function asking({ askUpkeep, terminal }: UpkeepParts, socket: string, work: (driver: DriverUpkeep) => Promise<number>): Promise<number> {
  const path = socketIn(socket);
  try {
    return await work(await askUpkeep(path));
  } catch (error) {
    return tellFailure(path, error, terminal);
  }
}

async function tellFailure(socket: string, error: unknown, terminal: Terminal): Promise<number> {
  if (!types.isNativeError(error) || !("isSilent" in error)) throw error;
  terminal.error.write(`dmthin: ${error.isSilent === true ? await silence(socket, error) : error.message}\n`);
  return 1;
}
