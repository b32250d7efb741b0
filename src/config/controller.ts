import * as z from "zod";
import { DmthinError } from "../errors.ts";
import { alphaCapabilities, describeTesting, log, metricsListen, shutdownDeadline, testing, type LogOptions, type TestingOptions } from "./driver-options.ts";
import { kubernetesNamespace } from "./environment.ts";
import { kubeconfig } from "./kubernetes-options.ts";
import type { ListenAddress } from "./listen-address.ts";
import { OBJECT_NAME } from "./object-name.ts";
import { socketPath } from "./paths.ts";
import { check } from "./problems.ts";
import { duration, fileMode } from "./quantities.ts";
import { quote } from "./wording.ts";

/** What `dmthin controller` runs with: validated, defaults filled in. */
export interface ControllerConfig {
  /** Where its own pods, those of the nodes, and its lease are. */
  readonly namespace: string;
  readonly socket: string;
  readonly socketMode: number;
  /** The lease that one controller holds, whose loops run then. */
  readonly lease: string;
  /** How long a Node object must be gone before its volumes count as deleted when that is asked for. */
  readonly nodeMissingForMs: number;
  /** The taint's key that a node loses once its driver is ready; undefined: none is taken away. */
  readonly startupTaint: string | undefined;
  /** Finds the pods of `dmthin node` in the namespace. */
  readonly agentSelector: string;
  readonly kubeconfig: string | undefined;
  readonly log: LogOptions;
  readonly shutdownDeadlineMs: number;
  readonly alphaCapabilities: boolean;
  readonly metrics: { readonly listen: ListenAddress | undefined };
  readonly testing: TestingOptions;
}

/** Source: RFC 1123; apimachinery, IsDNS1123Label. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** `prefix/name`. Source: apimachinery, IsQualifiedName. */
const QUALIFIED = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
/** Only the server can judge all of a selector: this is what begins none. */
const SELECTOR = /^[A-Za-z0-9!][^\p{Cc}]*$/u;

const matching = (pattern: RegExp, what: string) => z.string().regex(pattern, { error: ({ input }) => `${quote(input)} is not ${what}` });

export const controllerDocument = z.strictObject({
  namespace: matching(LABEL, "a namespace")
    .optional()
    .describe("The namespace of the driver's pods. By default POD_NAMESPACE of the environment, which the pod is given."),
  socket: socketPath().prefault("unix:///run/dmthin/csi.sock").describe("The CSI socket, which the sidecars dial."),
  socketMode: fileMode().prefault("0600").describe("Its file mode, in quotes."),
  lease: matching(OBJECT_NAME, "the name of an object")
    .default("dmthin-controller")
    .describe("The lease by which one of several controllers looks after what is left over."),
  nodeMissingFor: duration({ leastMs: 1000, mostMs: 366 * 86_400_000 })
    .prefault("10m")
    .describe("How long a Node must be gone before its volumes may be deleted without it."),
  startupTaint: z
    .union([z.literal("none").transform(() => undefined), matching(QUALIFIED, "the key of a taint")])
    .prefault("dmthin.io/agent-not-ready")
    .describe("The key of the taint that is taken off a node when the driver is ready there, or none."),
  agentSelector: matching(SELECTOR, "a label selector")
    .default("app.kubernetes.io/name=dmthin,app.kubernetes.io/component=node")
    .describe("The labels of the pods that run dmthin node, in the same namespace."),
  kubeconfig: kubeconfig(),
  log: log(),
  shutdownDeadline: shutdownDeadline(),
  metrics: z.strictObject({ listen: metricsListen() }).prefault({}).describe("For Prometheus, and for probes."),
  alphaCapabilities: alphaCapabilities(),
  testing: testing(),
});

/** The configuration in a document, with the namespace from where it runs. Throws "config-invalid" with every problem. */
export function parseControllerConfig(written: unknown, source: string, here: string | undefined = kubernetesNamespace()): ControllerConfig {
  const result = check(controllerDocument, written);
  if ("problems" in result) throw new DmthinError({ code: "config-invalid", source, problems: result.problems });
  const { namespace = here, nodeMissingFor: nodeMissingForMs, shutdownDeadline: shutdownDeadlineMs, startupTaint, kubeconfig, testing, ...rest } = result.value;
  if (namespace === undefined || !LABEL.test(namespace)) {
    const message = `is needed: set it, or give the pod POD_NAMESPACE from metadata.namespace${namespace === undefined ? "" : ` (${quote(namespace)} is not a namespace)`}`;
    throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "namespace", message }] });
  }
  return { ...rest, namespace, nodeMissingForMs, shutdownDeadlineMs, startupTaint, kubeconfig, testing: describeTesting(testing) };
}
