import { hostname } from "node:os";
import * as z from "zod";
import { DmthinError } from "../errors.ts";
import { documentProblems } from "./between-fields.ts";
import { textAt } from "./document-paths.ts";
import {
  adminSocket,
  alphaCapabilities,
  DEFAULT_STATE_DIRECTORY,
  describeMetrics,
  describeTesting,
  log,
  poolMetrics,
  runDirectory,
  shutdownDeadline,
  stateDirectory,
  testing,
  type LogOptions,
  type PoolMetricsOptions,
  type TestingOptions,
} from "./driver-options.ts";
import { socketPath } from "./paths.ts";
import type { PoolDescription } from "./pool-description.ts";
import { describePool, poolDocument } from "./pool-document.ts";
import { check } from "./problems.ts";
import { fileMode } from "./quantities.ts";
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
  readonly log: LogOptions;
  readonly shutdownDeadlineMs: number;
  readonly alphaCapabilities: boolean;
  readonly metrics: PoolMetricsOptions;
  readonly testing: TestingOptions;
}

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
  adminSocket: adminSocket(),
  nodeName: nodeName().optional().describe("How this machine is called towards CSI. By default its host name."),
  stateDirectory: stateDirectory(),
  runDirectory: runDirectory(),
  log: log(),
  shutdownDeadline: shutdownDeadline(),
  metrics: poolMetrics(),
  alphaCapabilities: alphaCapabilities(),
  testing: testing(),
});

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
  const { pools, shutdownDeadline: shutdownDeadlineMs, nodeName = host, metrics, testing, ...rest } = result.value;
  if (!NODE_NAME.test(nodeName)) {
    const message = `this machine's host name ${quote(nodeName)} cannot serve as its node name: set one`;
    throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "nodeName", message }] });
  }
  return {
    ...rest,
    nodeName,
    pools: pools.map((pool) => describePool(pool, pools.length === 1)),
    shutdownDeadlineMs,
    metrics: describeMetrics(metrics),
    testing: describeTesting(testing),
  };
}
