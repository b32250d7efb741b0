import * as z from "zod";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../logger.ts";
import { listenAddress, type ListenAddress } from "./listen-address.ts";
import { absolutePath, socketPath } from "./paths.ts";
import { duration } from "./quantities.ts";
import { DEFAULT_ADMIN_SOCKET } from "./admin-socket.ts";
import { quote } from "./wording.ts";

/** The options that every role of the driver has, or those that have pools: one schema, one sentence each. */

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** For csi-sanity. */
export interface TestingOptions {
  readonly enableAttach: boolean;
  readonly attachLimit: number | undefined;
}

export interface PoolMetricsOptions {
  /** undefined: nothing listens. */
  readonly listen: ListenAddress | undefined;
  readonly perVolume: boolean;
  readonly exclusiveIntervalMs: number | undefined;
}

export const DEFAULT_STATE_DIRECTORY = "/var/lib/dmthin";

/** 24 days, in whole ones below what a timer of Node's can wait. */
const LONGEST_INTERVAL_MS = 24 * 86_400_000;

export const log = () =>
  z
    .strictObject({
      level: z.enum(LOG_LEVELS).default("info").describe("The least that is written: debug, info, warn or error."),
      format: z.enum(["json", "text"]).default("json").describe("json for programs, text for people."),
    })
    .prefault({})
    .describe("What is written to standard error.");

export const shutdownDeadline = () =>
  duration({ leastMs: 1000, mostMs: 600_000 }).prefault("30s").describe("How long calls may go on after SIGTERM before the process ends all the same.");

export const alphaCapabilities = () =>
  z.boolean().default(false).describe("Announce what CSI 1.13 has as alpha: volume and storage health, for Kubernetes 1.37 and newer.");

export const adminSocket = () =>
  socketPath().prefault(DEFAULT_ADMIN_SOCKET).describe("The socket that `dmthin info` and the other commands ask; its mode is 0600.");

export const stateDirectory = () =>
  absolutePath().prefault(DEFAULT_STATE_DIRECTORY).describe("Where the catalogues are: on a disk, since what it holds must outlive a reboot.");

export const runDirectory = () =>
  absolutePath().prefault("/run/dmthin").describe("Where the locks are: on a tmpfs, since what it holds must not outlive a reboot.");

/** What is no text at all is told as no address either: a port by itself is a number in YAML. */
function nowhere() {
  return z.literal("nowhere", { error: ({ input }) => `${quote(input)} is not an address: write "127.0.0.1:9808" or nowhere` });
}

export const metricsListen = () =>
  z
    .union([listenAddress(), nowhere().transform(() => undefined)])
    .prefault("nowhere")
    .describe("Where /metrics, /healthz and /readyz are served, such as 127.0.0.1:9808; or nowhere.");

/** Of a driver that has pools. */
export const poolMetrics = () =>
  z
    .strictObject({
      listen: metricsListen(),
      perVolume: z.boolean().default(true).describe("Tell the size and the space of each volume and snapshot: three lines each."),
      exclusiveInterval: z
        .union([duration({ leastMs: 60_000, mostMs: LONGEST_INTERVAL_MS }), z.literal("never").transform(() => undefined)])
        .prefault("1h")
        .describe("How often it is measured what each volume has alone, or never: that walks through all of a pool's metadata."),
    })
    .prefault({})
    .describe("For Prometheus, and for probes.");

export const describeMetrics = ({ listen, perVolume, exclusiveInterval }: z.output<ReturnType<typeof poolMetrics>>): PoolMetricsOptions => ({
  listen,
  perVolume,
  exclusiveIntervalMs: exclusiveInterval,
});

export const testing = () =>
  z
    .strictObject({
      enableAttach: z.boolean().default(false).describe("Answer ControllerPublishVolume, which does nothing here."),
      attachLimit: z.int().min(0).optional().describe("How many volumes it attaches. By default any number."),
    })
    .prefault({})
    .describe("For csi-sanity. Not for use.");

export const describeTesting = ({ enableAttach, attachLimit }: z.output<ReturnType<typeof testing>>): TestingOptions => ({ enableAttach, attachLimit });
