import { hostname } from "node:os";
import * as z from "zod";
import { DmthinError } from "../errors.ts";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../logger.ts";
import { DEFAULT_ADMIN_SOCKET } from "./admin-socket.ts";
import { documentProblems } from "./between-fields.ts";
import { textAt } from "./document-paths.ts";
import { listenAddress, type ListenAddress } from "./listen-address.ts";
import { absolutePath, socketPath } from "./paths.ts";
import type { PoolDescription } from "./pool-description.ts";
import { describePool, poolDocument } from "./pool-document.ts";
import { check } from "./problems.ts";
import { duration, fileMode } from "./quantities.ts";
import { writeOutStorageOpts } from "./storage-opts.ts";
import { quote } from "./wording.ts";

/** What `dmthin standalone` runs with: validated, defaults filled in. */
export interface StandaloneConfig {
  readonly pools: readonly PoolDescription[];
  /** The CSI socket, by absolute path. */
  readonly socket: string;
  readonly socketMode: number;
  /** The operator's socket, by absolute path; its mode is 0600. */
  readonly adminSocket: string;
  readonly nodeName: string;
  /** Lasts over reboots: catalogues. */
  readonly stateDirectory: string;
  /** Empty after a boot: locks. */
  readonly runDirectory: string;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly shutdownDeadlineMs: number;
  readonly alphaCapabilities: boolean;
  readonly metrics: {
    /** undefined: nothing listens. */
    readonly listen: ListenAddress | undefined;
    readonly perVolume: boolean;
    readonly exclusiveIntervalMs: number | undefined;
  };
  readonly testing: { readonly enableAttach: boolean; readonly attachLimit: number | undefined };
}

/** A timer of Node's ends at 2^31 ms, and fires at once beyond. */
const LONGEST_TIMER_MS = 24 * 86_400_000;

export const DEFAULT_STATE_DIRECTORY = "/var/lib/dmthin";
/** A value of the topology key, and so of a Kubernetes label. */
const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const nodeName = () =>
  z.string().regex(NODE_NAME, {
    error: ({ input }) => `${quote(input)} is not a node name: letters, digits, and "-", "_", "." inside, at most 63 characters`,
  });

export const standaloneDocument = z.strictObject({
  pools: z.array(poolDocument).min(1, { error: "at least one pool is needed" }).describe("The pools of this machine."),
  socket: socketPath().prefault("unix:///run/dmthin/csi.sock").describe("The CSI socket."),
  socketMode: fileMode().prefault("0600").describe("Its file mode, in quotes."),
  adminSocket: socketPath().prefault(DEFAULT_ADMIN_SOCKET).describe("The socket that `dmthin info` and the other commands ask; its mode is 0600."),
  nodeName: nodeName().optional().describe("How this machine is called towards CSI. By default its host name."),
  stateDirectory: absolutePath().prefault(DEFAULT_STATE_DIRECTORY).describe("Where the catalogues are: on a disk, since what it holds must outlive a reboot."),
  runDirectory: absolutePath().prefault("/run/dmthin").describe("Where the locks are: on a tmpfs, since what it holds must not outlive a reboot."),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default("info").describe("The least that is written: debug, info, warn or error."),
      format: z.enum(["json", "text"]).default("json").describe("json for programs, text for people."),
    })
    .prefault({})
    .describe("What is written to standard error."),
  shutdownDeadline: duration({ leastMs: 1000, mostMs: 600_000 })
    .prefault("30s")
    .describe("How long calls may go on after SIGTERM before the process ends all the same."),
  metrics: z
    .strictObject({
      listen: z
        .union([listenAddress(), nowhere().transform(() => undefined)])
        .prefault("nowhere")
        .describe("Where /metrics, /healthz and /readyz are served, such as 127.0.0.1:9808; or nowhere."),
      perVolume: z.boolean().default(true).describe("Tell the size and the space of each volume and snapshot: three lines each."),
      exclusiveInterval: z
        .union([duration({ leastMs: 60_000, mostMs: LONGEST_TIMER_MS }), z.literal("never").transform(() => undefined)])
        .prefault("1h")
        .describe("How often it is measured what each volume has alone, or never: that walks through all of a pool's metadata."),
    })
    .prefault({})
    .describe("For Prometheus, and for probes."),
  alphaCapabilities: z.boolean().default(false).describe("Announce what CSI 1.13 has as alpha: volume and storage health, for Kubernetes 1.37 and newer."),
  testing: z
    .strictObject({
      enableAttach: z.boolean().default(false).describe("Answer ControllerPublishVolume, which does nothing here."),
      attachLimit: z.int().min(0).optional().describe("How many volumes it attaches. By default any number."),
    })
    .prefault({})
    .describe("For csi-sanity. Not for use."),
});

/** What is no text at all is told as no address either: a port by itself is a number in YAML. */
function nowhere() {
  return z.literal("nowhere", { error: ({ input }) => `${quote(input)} is not an address: write "127.0.0.1:9808" or nowhere` });
}

/** Its cross-checks run whatever else is wrong, for all problems are reported at once. */
const checked = standaloneDocument.superRefine(
  (document, context) => {
    for (const { path, message } of documentProblems(document)) context.addIssue({ code: "custom", path: [...path], message });
  },
  { when: () => true },
);

/**
 * The configuration in a document: what YAML or JSON made of the file `source`.
 * Throws "config-invalid" with every problem; nothing is half accepted.
 */
export function parseConfig(written: unknown, source: string, host: string = hostname()): StandaloneConfig {
  const { document, problems, placeOf } = writeOutStorageOpts(written, textAt(written, "stateDirectory") ?? DEFAULT_STATE_DIRECTORY);
  const result = check(checked, document);
  if ("problems" in result || problems.length > 0) {
    const found = "problems" in result ? result.problems.map(({ path, message }) => ({ path: placeOf(path), message })) : [];
    throw new DmthinError({ code: "config-invalid", source, problems: [...problems, ...found] });
  }
  const { pools, shutdownDeadline, nodeName = host, metrics, testing, ...rest } = result.value;
  if (!NODE_NAME.test(nodeName)) {
    const message = `this machine's host name ${quote(nodeName)} cannot serve as its node name: set one`;
    throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "nodeName", message }] });
  }
  return {
    ...rest,
    nodeName,
    pools: pools.map((pool) => describePool(pool, pools.length === 1)),
    shutdownDeadlineMs: shutdownDeadline,
    metrics: { listen: metrics.listen, perVolume: metrics.perVolume, exclusiveIntervalMs: metrics.exclusiveInterval },
    testing: { enableAttach: testing.enableAttach, attachLimit: testing.attachLimit },
  };
}
