import { describe, expect, test } from "@jest/globals";
import { parseControllerConfig } from "../../src/config/controller.ts";
import { parseNodeConfig } from "../../src/config/node.ts";
import { ended } from "../harness/program.ts";
import { clusterTools, program } from "../lab/cluster/tools.ts";
import { EVERY_VALUE, NAMESPACE, render } from "./helm.ts";
import { config, container, find, kinds, pod, type PodSpec, type Workload } from "./rendered.ts";

const toleratedKeys = async (values: object) => pod(await render({ values }), "Deployment", "dmthin-controller").tolerations.map(({ key }) => key);
const configSum = async (values: object) =>
  (find(await render({ values }), "Deployment", "dmthin-controller") as Workload).spec.template.metadata.annotations["checksum/config"];

describe("the controller", () => {
  test("runs as nobody, with a root that it cannot write to, and its sidecars likewise", async () => {
    const manifests = await render(EVERY_VALUE);
    const pods = [pod(manifests, "Deployment", "dmthin-controller"), pod(manifests, "Job", "dmthin-pools"), pod(manifests, "Job", "dmthin-uninstall-guard")];
    for (const { securityContext, containers, volumes } of pods) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } });
      for (const each of containers) {
        expect(each.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
      }
      expect(volumes.filter(({ hostPath }) => hostPath !== undefined)).toEqual([]);
    }
  });

  test("has the sidecars, which the real programs take with these flags", async () => {
    const { containers } = pod(await render(), "Deployment", "dmthin-controller");
    expect(containers.map(({ name }) => name)).toEqual(["dmthin", "csi-provisioner", "csi-snapshotter", "csi-resizer"]);
    for (const { name, args, image } of containers.slice(1)) {
      expect(image).toMatch(/^registry\.k8s\.io\/sig-storage\/csi-[a-z]+:v\d+\.\d+\.\d+$/);
      const { stdout, stderr } = ended(program(await clusterTools(), name), ["--help"]);
      for (const flag of args) expect(stdout + stderr).toMatch(new RegExp(String.raw`^\s*(-\w, )?--?${/^--([\w-]+)/.exec(flag)?.[1]}\b`, "m"));
    }
    const flags = container({ containers } as PodSpec, "csi-provisioner").args;
    expect(flags).toEqual(
      expect.arrayContaining([
        "--extra-create-metadata",
        "--enable-capacity",
        "--immediate-topology=false",
        "--capacity-ownerref-level=2",
        "--retry-interval-max=1m",
      ]),
    );
    expect(flags.join(" ")).toContain("--capacity-threads=10 --kube-api-capacity-qps=50 --kube-api-capacity-burst=100");
    expect(flags.join(" ")).not.toContain("--strict-topology");
    expect(container({ containers } as PodSpec, "csi-resizer").args).toEqual(
      expect.arrayContaining(["--handle-volume-inuse-error=false", "--resize-timeout=60s"]),
    );
  });

  test("tolerates the taint that it takes off", async () => {
    expect(await toleratedKeys({})).toContain("dmthin.io/agent-not-ready");
    expect(await toleratedKeys({ startupTaint: "example.com/wait" })).toContain("example.com/wait");
    expect(await toleratedKeys({ startupTaint: "" })).not.toContain("");
  });

  test("has a configuration that it takes, which finds the pods of the nodes", async () => {
    const manifests = await render({ values: { startupTaint: "", alphaCapabilities: true, log: { level: "debug" } } });
    const parsed = parseControllerConfig(config(manifests, "dmthin-controller"), "the chart", NAMESPACE);
    expect(parsed).toMatchObject({
      startupTaint: undefined,
      alphaCapabilities: true,
      log: { level: "debug", format: "json" },
      metrics: { listen: { host: "", port: 9808 } },
    });
    const { labels } = (find(manifests, "DaemonSet", "dmthin-node") as Workload).spec.template.metadata;
    for (const term of parsed.agentSelector.split(",")) expect(Object.entries(labels)).toContainEqual(term.split("="));
    const mounts = container(pod(manifests, "Deployment", "dmthin-controller"), "dmthin").volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounts).toContain(parsed.socket.replace(/\/[^/]*$/, ""));
  });

  test("starts anew when its configuration changes", async () => {
    expect(await configSum({})).not.toBe(await configSum({ controller: { nodeMissingFor: "1h" } }));
  });

  test("has a budget that the nodes have not", async () => {
    expect(kinds(await render(), "PodDisruptionBudget")).toEqual(["dmthin-controller"]);
  });
});

describe("the nodes", () => {
  test("have one container, the image's own entry point, and no probe that kills", async () => {
    const manifests = await render();
    const { containers, volumes, hostPID, tolerations, priorityClassName } = pod(manifests, "DaemonSet", "dmthin-node");
    expect(containers.map(({ name }) => name)).toEqual(["dmthin"]);
    const [dmthin] = containers;
    expect(dmthin).toMatchObject({ args: ["node", "--config", "/etc/dmthin/dmthin.yaml"], securityContext: { privileged: true } });
    expect(volumes.find(({ name }) => name === "config")).toMatchObject({ configMap: { items: [{ key: "config.yaml", path: "dmthin.yaml" }] } });
    expect(dmthin?.command).toBeUndefined();
    expect(dmthin?.livenessProbe).toBeUndefined();
    expect(dmthin?.readinessProbe).toBeDefined();
    expect(dmthin?.resources?.limits).toBeUndefined();
    expect({ hostPID, tolerations, priorityClassName }).toEqual({
      hostPID: false,
      tolerations: [{ operator: "Exists" }],
      priorityClassName: "system-node-critical",
    });
    expect((find(manifests, "DaemonSet", "dmthin-node") as Workload).spec.updateStrategy).toMatchObject({
      rollingUpdate: { maxSurge: 0, maxUnavailable: "10%" },
    });
  });

  test.each(["/var/lib/kubelet", "/var/lib/k0s/kubelet", "/var/snap/microk8s/common/var/lib/kubelet/"])(
    "mount what they need of the host, with the kubelet at %s",
    async (kubeletPath) => {
      const manifests = await render({ values: { kubeletPath, node: { loopDirectories: ["/srv/fast"] } } });
      const spec = pod(manifests, "DaemonSet", "dmthin-node");
      const kubelet = kubeletPath.replace(/\/$/, "");
      const { volumeMounts } = container(spec, "dmthin");
      const hostPaths = new Map(spec.volumes.map(({ name, hostPath }) => [name, hostPath?.path]));
      expect(volumeMounts.filter(({ mountPropagation }) => mountPropagation === "Bidirectional").map(({ mountPath }) => mountPath)).toEqual([
        `${kubelet}/plugins`,
        `${kubelet}/pods`,
      ]);
      expect(volumeMounts.filter(({ readOnly }) => readOnly === true).map(({ mountPath }) => mountPath)).toEqual(["/etc/dmthin", "/lib/modules"]);
      const fromHost = volumeMounts.filter(({ name }) => hostPaths.get(name) !== undefined);
      for (const { name, mountPath } of fromHost) expect(hostPaths.get(name)).toBe(mountPath); // paths mean the same to both
      expect(fromHost.map(({ mountPath }) => mountPath)).toEqual([
        `${kubelet}/plugins`,
        `${kubelet}/pods`,
        `${kubelet}/plugins_registry`,
        "/dev",
        "/run/udev",
        "/run/lock/lvm",
        "/lib/modules",
        "/sys",
        "/run/dmthin",
        "/var/lib/dmthin",
        "/srv/fast",
      ]);
      const parsed = parseNodeConfig(config(manifests, "dmthin-node"), "the chart", "node1");
      expect(parsed).toMatchObject({
        socket: `${kubelet}/plugins/csi.dmthin.io/csi.sock`,
        endpoint: `${kubelet}/plugins/csi.dmthin.io/csi.sock`,
        registrationDirectory: `${kubelet}/plugins_registry`,
        metrics: { listen: { host: "", port: 9808 }, perVolume: true },
      });
    },
  );

  test("may be of several groups, each found by its own daemonset alone", async () => {
    const manifests = await render(EVERY_VALUE);
    expect(kinds(manifests, "DaemonSet")).toEqual(["dmthin-node", "dmthin-node-arm"]);
    const [first, arm] = ["dmthin-node", "dmthin-node-arm"].map((name) => find(manifests, "DaemonSet", name) as Workload);
    expect(first?.spec.selector).not.toEqual(arm?.spec.selector);
    for (const each of [first, arm]) {
      expect(each?.spec.template.metadata.labels).toMatchObject({ ...each?.spec.selector.matchLabels, "app.kubernetes.io/component": "node", team: "storage" });
    }
    expect(arm?.spec.template.spec.nodeSelector).toEqual({ "kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64" });
    expect(parseNodeConfig(config(manifests, "dmthin-node-arm"), "the chart", "n")).toMatchObject({ maxVolumesPerNode: 7 });
    expect(kinds(await render({ values: { node: { enabled: false } } }), "DaemonSet")).toEqual([]);
  });
});
