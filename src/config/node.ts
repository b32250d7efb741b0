import * as z from "zod";
import { DmthinError } from "../errors.ts";
import { rolePlaceProblems } from "./between-fields.ts";
import {
  adminSocket,
  alphaCapabilities,
  describeMetrics,
  log,
  poolMetrics,
  runDirectory,
  shutdownDeadline,
  stateDirectory,
  type LogOptions,
  type PoolMetricsOptions,
} from "./driver-options.ts";
import { kubernetesNode } from "./environment.ts";
import { kubeconfig } from "./kubernetes-options.ts";
import { OBJECT_NAME } from "./object-name.ts";
import { absolutePath, socketPath } from "./paths.ts";
import { check } from "./problems.ts";
import { quote } from "./wording.ts";

/** What `dmthin node` runs with: validated, defaults filled in. */
export interface NodeConfig {
  /** Of the Node object. */
  readonly nodeName: string;
  /** The CSI socket, by absolute path as it is seen here. */
  readonly socket: string;
  /** The same socket as the kubelet finds it, which sees the host's files. */
  readonly endpoint: string;
  /** The kubelet's folder for plugins' registration, as it is seen here. */
  readonly registrationDirectory: string;
  readonly adminSocket: string;
  readonly stateDirectory: string;
  readonly runDirectory: string;
  /** 0: the kubelet may use as many as it likes. */
  readonly maxVolumesPerNode: number;
  /** undefined: the pod's service account. */
  readonly kubeconfig: string | undefined;
  readonly log: LogOptions;
  readonly shutdownDeadlineMs: number;
  readonly alphaCapabilities: boolean;
  readonly metrics: PoolMetricsOptions;
}

/** The kubelet's own, unless it was told another: k0s and microk8s have theirs elsewhere. */
const KUBELET = "/var/lib/kubelet";

export const nodeDocument = z.strictObject({
  nodeName: z
    .string()
    .regex(OBJECT_NAME, { error: ({ input }) => `${quote(input)} is not the name of a Node: lower-case letters, digits, "-" and "." inside` })
    .optional()
    .describe("The name of this machine's Node object. By default NODE_NAME of the environment, which the pod is given."),
  socket: socketPath().prefault(`unix://${KUBELET}/plugins/csi.dmthin.io/csi.sock`).describe("The CSI socket."),
  endpoint: socketPath().optional().describe("The same socket by the host's path, which the kubelet dials. By default that of socket."),
  registrationDirectory: absolutePath()
    .prefault(`${KUBELET}/plugins_registry`)
    .describe("Where the kubelet looks for plugins: the host's folder, as it is mounted here."),
  adminSocket: adminSocket(),
  stateDirectory: stateDirectory(),
  runDirectory: runDirectory(),
  maxVolumesPerNode: z.int().min(0).max(100_000).default(0).describe("How many volumes pods of this node may use at once; 0: any number."),
  kubeconfig: kubeconfig(),
  log: log(),
  shutdownDeadline: shutdownDeadline(),
  metrics: poolMetrics(),
  alphaCapabilities: alphaCapabilities(),
});

const checked = nodeDocument.superRefine(
  (document, context) => {
    for (const { path, message } of rolePlaceProblems(document)) context.addIssue({ code: "custom", path: [...path], message });
  },
  { when: () => true },
);

/** The configuration in a document, with the node's name from where it runs. Throws "config-invalid" with every problem. */
export function parseNodeConfig(written: unknown, source: string, node: string | undefined = kubernetesNode()): NodeConfig {
  const result = check(checked, written);
  if ("problems" in result) throw new DmthinError({ code: "config-invalid", source, problems: result.problems });
  const { nodeName = node, shutdownDeadline: shutdownDeadlineMs, metrics, kubeconfig, endpoint = result.value.socket, ...rest } = result.value;
  if (nodeName === undefined || !OBJECT_NAME.test(nodeName)) {
    const message = `is needed: set it, or give the pod NODE_NAME from spec.nodeName${nodeName === undefined ? "" : ` (${quote(nodeName)} is not the name of a Node)`}`;
    throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "nodeName", message }] });
  }
  return { ...rest, nodeName, endpoint, kubeconfig, shutdownDeadlineMs, metrics: describeMetrics(metrics) };
}
