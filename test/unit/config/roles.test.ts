import { describe, expect, test } from "@jest/globals";
import { parseControllerConfig } from "../../../src/config/controller.ts";
import { kubernetesNamespace, kubernetesNode } from "../../../src/config/environment.ts";
import { parseNodeConfig } from "../../../src/config/node.ts";
import { problemsOf } from "./document.ts";

const complaints = (read: () => unknown): readonly string[] => problemsOf(read).map(({ path, message }) => `${path}: ${message}`);

describe("dmthin node", () => {
  test("has a default for everything but the node's name, which its pod tells", () => {
    expect(parseNodeConfig({}, "node.yaml", "node-1.example")).toEqual({
      nodeName: "node-1.example",
      socket: "/var/lib/kubelet/plugins/csi.dmthin.io/csi.sock",
      endpoint: "/var/lib/kubelet/plugins/csi.dmthin.io/csi.sock",
      registrationDirectory: "/var/lib/kubelet/plugins_registry",
      adminSocket: "/run/dmthin/admin.sock",
      stateDirectory: "/var/lib/dmthin",
      runDirectory: "/run/dmthin",
      maxVolumesPerNode: 0,
      kubeconfig: undefined,
      log: { level: "info", format: "json" },
      shutdownDeadlineMs: 30_000,
      alphaCapabilities: false,
      metrics: { listen: undefined, perVolume: true, exclusiveIntervalMs: 3_600_000 },
    });
  });

  test("a name in the file goes before the pod's, and the endpoint is the socket's unless it is told", () => {
    const config = parseNodeConfig({ nodeName: "other", socket: "/csi/csi.sock", endpoint: "unix:///k0s/plugins/d/csi.sock" }, "node.yaml", "node1");
    expect(config).toMatchObject({ nodeName: "other", socket: "/csi/csi.sock", endpoint: "/k0s/plugins/d/csi.sock" });
    expect(parseNodeConfig({ socket: "/csi/csi.sock" }, "node.yaml", "node1").endpoint).toBe("/csi/csi.sock");
  });

  test("everything that is wrong is said at once", () => {
    const document = {
      nodeName: "Node_1",
      socket: "/run/a.sock",
      adminSocket: "/run/a.sock",
      registrationDirectory: "plugins",
      stateDirectory: "/run/dmthin/x",
      maxVolumesPerNode: -1,
      pools: [],
    };
    expect(complaints(() => parseNodeConfig(document, "node.yaml", "node1"))).toEqual([
      'nodeName: "Node_1" is not the name of a Node: lower-case letters, digits, "-" and "." inside',
      'registrationDirectory: "plugins" is not an absolute path',
      "maxVolumesPerNode: -1 is too small: at least 0",
      expect.stringContaining("pools: there is no such option"),
      expect.stringContaining("runDirectory: "),
      "adminSocket: /run/a.sock is the CSI socket already",
    ]);
  });

  test.each([[undefined], ["Node 1"]])("without a name that can be one, it says where it comes from: %s", (name) => {
    expect(complaints(() => parseNodeConfig({}, "node.yaml", name))).toEqual([expect.stringContaining("NODE_NAME from spec.nodeName")]);
  });
});

describe("dmthin controller", () => {
  test("has a default for everything but the namespace, which its pod tells", () => {
    expect(parseControllerConfig({}, "controller.yaml", "storage")).toEqual({
      namespace: "storage",
      socket: "/run/dmthin/csi.sock",
      socketMode: 0o600,
      lease: "dmthin-controller",
      nodeMissingForMs: 600_000,
      startupTaint: "dmthin.io/agent-not-ready",
      agentSelector: "app.kubernetes.io/name=dmthin,app.kubernetes.io/component=node",
      kubeconfig: undefined,
      log: { level: "info", format: "json" },
      shutdownDeadlineMs: 30_000,
      alphaCapabilities: false,
      metrics: { listen: undefined },
      testing: { enableAttach: false, attachLimit: undefined },
    });
  });

  test("no taint is taken away where there is none", () => {
    expect(parseControllerConfig({ startupTaint: "none" }, "controller.yaml", "storage").startupTaint).toBeUndefined();
  });

  test("everything that is wrong is said at once", () => {
    const document = { namespace: "A", lease: "x_y", nodeMissingFor: "10", startupTaint: "a b", agentSelector: "", metrics: { listen: 80 } };
    expect(complaints(() => parseControllerConfig(document, "controller.yaml", undefined))).toEqual([
      'namespace: "A" is not a namespace',
      'lease: "x_y" is not the name of an object',
      expect.stringContaining('nodeMissingFor: "10" is not a duration'),
      'startupTaint: "a b" is not the key of a taint',
      'agentSelector: "" is not a label selector',
      'metrics.listen: 80 is not an address: write "127.0.0.1:9808" or nowhere',
    ]);
  });

  test("without a namespace it says where it comes from", () => {
    expect(complaints(() => parseControllerConfig({}, "controller.yaml", undefined))).toEqual([expect.stringContaining("POD_NAMESPACE")]);
  });
});

test("an empty variable of the environment is none", () => {
  expect(kubernetesNode({ NODE_NAME: "one" })).toBe("one");
  expect(kubernetesNode({ NODE_NAME: "" })).toBeUndefined();
  expect(kubernetesNamespace({ POD_NAMESPACE: "two" })).toBe("two");
  expect(kubernetesNamespace({})).toBeUndefined();
});
