import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, describe } from "@jest/globals";
import { parse } from "yaml";
import { parseControllerConfig } from "../../src/config/controller.ts";
import { parseNodeConfig } from "../../src/config/node.ts";
import { clusterTools, program } from "../lab/cluster/tools.ts";
import { CHART } from "./generated.ts";
import { config, container, find, kinds, pod, type PodSpec, type Role, type Workload } from "./rendered.ts";
import { EVERYTHING, helm, NAMESPACE, render, type Manifest, type Rendering } from "./helm.ts";
import { MANIFESTS, renderedManifests } from "./manifests.ts";

const everything: Rendering = {
  values: {
    pools: { fast: { backing: { loop: { directory: "/srv/fast", dataSize: "20Gi" } } } },
    node: { loopDirectories: ["/srv/fast"] },
    nodeGroups: { arm: { nodeSelector: { "kubernetes.io/arch": "arm64" }, maxVolumesPerNode: 7 } },
    volumeAttributesClasses: [{ name: "discarding", parameters: { discardOnDelete: "true" } }],
    metrics: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } },
    commonLabels: { team: "storage" },
  },
};

test("helm lint finds nothing wrong", async () => {
  expect(await helm("lint", CHART, "--strict")).toContain("0 chart(s) failed");
});

test('manifests/ is what the chart renders: after a change there, run "npm run manifests"', async () => {
  for (const [name, text] of await renderedManifests()) expect(await readFile(join(MANIFESTS, name), "utf8")).toBe(text);
});

const rightsToNodes = (manifests: readonly Manifest[]) =>
  (find(manifests, "ClusterRole", "dmthin-controller") as Role).rules.find(({ resources }) => resources.includes("nodes"));
const toleratedKeys = async (values: object) => pod(await render({ values }), "Deployment", "dmthin-controller").tolerations.map(({ key }) => key);
const configSum = async (values: object) =>
  (find(await render({ values }), "Deployment", "dmthin-controller") as Workload).spec.template.metadata.annotations["checksum/config"];
const kindsOf = async (rendering: Rendering) => new Set((await render(rendering)).map(({ kind }) => kind));

describe("rights", () => {
  test("are least: no wildcards, no secrets, nothing of roles; only what is listed here is written", async () => {
    const roles = (await render(everything)).filter((each): each is Role => each.kind.endsWith("Role"));
    expect(roles.map(({ metadata }) => metadata.name).toSorted()).toEqual(["dmthin-controller", "dmthin-controller", "dmthin-jobs", "dmthin-node"]);
    for (const { rules } of roles) {
      for (const { apiGroups, resources, verbs } of rules) {
        for (const word of [...apiGroups, ...resources, ...verbs]) expect(word).not.toContain("*");
        for (const resource of resources) expect(resource).not.toMatch(/secrets|roles|serviceaccounts|tokens|impersonate|configmaps/);
      }
    }
    const written = roles.map(({ kind, metadata, rules }) => [
      `${kind} ${metadata.name}`,
      [...new Set(rules.flatMap(({ resources, verbs }) => (verbs.some((verb) => !["get", "list", "watch"].includes(verb)) ? resources : [])))].toSorted(),
    ]);
    expect(written).toMatchInlineSnapshot(`
[
  [
    "ClusterRole dmthin-controller",
    [
      "events",
      "nodes",
      "nodethinpools",
      "persistentvolumeclaims",
      "persistentvolumeclaims/status",
      "persistentvolumes",
      "thinpools",
      "thinpools/status",
      "thinsnapshotgroups",
      "thinsnapshotgroups/status",
      "thinsnapshots",
      "thinsnapshots/status",
      "thinvolumes",
      "thinvolumes/status",
      "volumegroupsnapshotcontents",
      "volumegroupsnapshotcontents/status",
      "volumesnapshotcontents",
      "volumesnapshotcontents/status",
      "volumesnapshots",
    ],
  ],
  [
    "ClusterRole dmthin-jobs",
    [
      "thinpools",
    ],
  ],
  [
    "ClusterRole dmthin-node",
    [
      "events",
      "nodethinpools",
      "nodethinpools/status",
      "thinsnapshotgroups",
      "thinsnapshotgroups/status",
      "thinsnapshots",
      "thinsnapshots/status",
      "thinvolumes",
      "thinvolumes/status",
    ],
  ],
  [
    "Role dmthin-controller",
    [
      "csistoragecapacities",
      "leases",
    ],
  ],
]
`);
  });

  test("are no more than is used: a node writes the status of its NodeThinPools and events.k8s.io, leases are for elections", async () => {
    const rights = (await render())
      .filter((each): each is Role => each.kind.endsWith("Role"))
      .flatMap(({ metadata, rules }) => rules.map((rule) => ({ ...rule, role: metadata.name })));
    const verbsFor = (role: string, resource: string) =>
      rights.filter((rule) => rule.role === role && rule.resources.includes(resource)).flatMap(({ verbs }) => verbs);
    expect(verbsFor("dmthin-node", "nodethinpools")).toEqual(["get", "list", "watch", "create", "delete"]);
    expect(verbsFor("dmthin-controller", "leases")).toEqual(["get", "create", "update", "patch"]);
    expect(rights.filter(({ role, resources }) => role === "dmthin-node" && resources.includes("events")).flatMap(({ apiGroups }) => apiGroups)).toEqual([
      "events.k8s.io",
    ]);
  });

  test("a node may not be changed where no taint is taken off", async () => {
    expect(rightsToNodes(await render())?.verbs).toContain("patch");
    expect(rightsToNodes(await render({ values: { startupTaint: "" } }))?.verbs).not.toContain("patch");
  });

  test("every account that is named is made, and no pod runs with another", async () => {
    const manifests = await render(everything);
    expect(kinds(manifests, "ServiceAccount").toSorted()).toEqual(["dmthin-controller", "dmthin-jobs", "dmthin-node"]);
    expect(pod(manifests, "Deployment", "dmthin-controller").serviceAccountName).toBe("dmthin-controller");
    expect(pod(manifests, "DaemonSet", "dmthin-node").serviceAccountName).toBe("dmthin-node");
    expect(pod(manifests, "Job", "dmthin-pools").serviceAccountName).toBe("dmthin-jobs");
  });

  test("the admission policy is for the account of the nodes, in the release's namespace", async () => {
    const manifests = await render();
    for (const name of ["dmthin-node-objects", "dmthin-node-pools"]) {
      const { spec } = find(manifests, "ValidatingAdmissionPolicy", name) as Manifest & {
        spec: { failurePolicy: string; matchConditions: { expression: string }[] };
      };
      expect(spec.failurePolicy).toBe("Fail");
      expect(spec.matchConditions.map(({ expression }) => expression)).toEqual([
        `request.userInfo.username == 'system:serviceaccount:${NAMESPACE}:dmthin-node'`,
      ]);
      expect(kinds(manifests, "ValidatingAdmissionPolicyBinding")).toContain(name);
    }
    expect(kinds(await render({ values: { admissionPolicy: { enabled: false } } }), "ValidatingAdmissionPolicy")).toEqual([]);
  });
});

describe("the controller", () => {
  test("runs as nobody, with a root that it cannot write to, and its sidecars likewise", async () => {
    const manifests = await render(everything);
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
    const { containers, hostPID, tolerations, priorityClassName } = pod(manifests, "DaemonSet", "dmthin-node");
    expect(containers.map(({ name }) => name)).toEqual(["dmthin"]);
    const [dmthin] = containers;
    expect(dmthin).toMatchObject({ args: ["node", "--config", "/etc/dmthin/config.yaml"], securityContext: { privileged: true } });
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
    const manifests = await render(everything);
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

describe("what is made beside", () => {
  test("the driver's object says what the driver does", async () => {
    expect(find(await render(), "CSIDriver", "csi.dmthin.io")["spec"]).toEqual({
      attachRequired: false,
      fsGroupPolicy: "File",
      podInfoOnMount: false,
      requiresRepublish: false,
      seLinuxMount: false,
      storageCapacity: true,
      volumeLifecycleModes: ["Persistent"],
    });
    expect(find(await render({ values: { csiDriver: { preventPodSchedulingIfMissing: true } } }), "CSIDriver", "csi.dmthin.io")["spec"]).toMatchObject({
      preventPodSchedulingIfMissing: true,
    });
  });

  test("classes, one that waits for a pod and one for restores", async () => {
    const manifests = await render(everything);
    expect(kinds(manifests, "StorageClass")).toEqual(["dmthin", "dmthin-immediate"]);
    expect(find(manifests, "StorageClass", "dmthin")).toMatchObject({
      provisioner: "csi.dmthin.io",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    });
    expect(find(manifests, "StorageClass", "dmthin-immediate")).toMatchObject({ volumeBindingMode: "Immediate" });
    expect(kinds(manifests, "VolumeSnapshotClass")).toEqual(["dmthin"]);
    expect(kinds(manifests, "VolumeGroupSnapshotClass")).toEqual(["dmthin"]);
    expect(find(manifests, "VolumeAttributesClass", "discarding")).toMatchObject({ apiVersion: "storage.k8s.io/v1", driverName: "csi.dmthin.io" });
    expect(find(await render({ ...everything, apis: [] }), "VolumeAttributesClass", "discarding").apiVersion).toBe("storage.k8s.io/v1beta1");
    const own = {
      name: "own",
      default: true,
      allowVolumeExpansion: false,
      parameters: { pool: "fast", filesystem: "xfs" },
      mountOptions: ["noatime"],
      reclaimPolicy: "Retain",
    };
    expect(find(await render({ values: { storageClasses: [own] } }), "StorageClass", "own")).toMatchObject({
      metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      allowVolumeExpansion: false,
      parameters: own.parameters,
      mountOptions: ["noatime"],
      reclaimPolicy: "Retain",
    });
  });

  test.each<[string, Rendering, readonly [snapshots: boolean, groups: boolean]]>([
    ["with both APIs", {}, [true, true]],
    ["without the groups' API", { apis: EVERYTHING.slice(0, 1) }, [true, false]],
    ["without any", { apis: [] }, [false, false]],
    ["told to, whatever the cluster has", { apis: [], values: { snapshots: { enabled: true }, groupSnapshots: { enabled: true } } }, [true, true]],
    ["told not to", { values: { snapshots: { enabled: false }, groupSnapshots: { enabled: false } } }, [false, false]],
  ])("snapshots %s", async (_, rendering, [snapshots, groups]) => {
    const manifests = await render(rendering);
    const { containers } = pod(manifests, "Deployment", "dmthin-controller");
    const snapshotter = containers.find(({ name }) => name === "csi-snapshotter");
    const { rules } = find(manifests, "ClusterRole", "dmthin-controller") as Role;
    const has = (resource: string) => rules.some(({ resources }) => resources.includes(resource));
    expect([snapshotter !== undefined, kinds(manifests, "VolumeSnapshotClass").length > 0, has("volumesnapshotcontents")]).toEqual([
      snapshots,
      snapshots,
      snapshots,
    ]);
    expect([kinds(manifests, "VolumeGroupSnapshotClass").length > 0, has("volumegroupsnapshotcontents")]).toEqual([groups, groups]);
    if (snapshots) expect(snapshotter?.args.includes("--feature-gates=CSIVolumeGroupSnapshot=false")).toBe(!groups);
  });

  test("definitions, which outlive the release", async () => {
    const manifests = (await render()).filter(({ kind }) => kind === "CustomResourceDefinition");
    expect(manifests).toHaveLength(5);
    for (const { metadata } of manifests) expect(metadata.annotations).toMatchObject({ "helm.sh/resource-policy": "keep" });
    expect(kinds(await render({ values: { crds: { enabled: false } } }), "CustomResourceDefinition")).toEqual([]);
  });

  test("pools by a job that runs after each install and upgrade, and no ThinPool of the release's own", async () => {
    const manifests = await render(everything);
    expect(kinds(manifests, "ThinPool")).toEqual([]);
    const job = find(manifests, "Job", "dmthin-pools");
    expect(job.metadata.annotations?.["helm.sh/hook"]).toBe("post-install,post-upgrade,post-rollback");
    const { data } = find(manifests, "ConfigMap", "dmthin-pools") as Manifest & { data: Record<string, string> };
    expect(parse(data["pools.yaml"] ?? "")).toEqual((everything.values as { pools: object }).pools);
    const without = await render();
    expect(kinds(without, "Job")).toEqual(["dmthin-uninstall-guard"]);
    expect((find(without, "ClusterRole", "dmthin-jobs") as Role).rules.flatMap(({ verbs }) => verbs)).not.toContain("create");
  });

  test("a guard before the uninstalling, and a test", async () => {
    const manifests = await render();
    expect(find(manifests, "Job", "dmthin-uninstall-guard").metadata.annotations?.["helm.sh/hook"]).toBe("pre-delete");
    expect(find(manifests, "Pod", "dmthin-test").metadata.annotations?.["helm.sh/hook"]).toBe("test");
    expect(kinds(await render({ values: { uninstallGuard: { enabled: false } } }), "Job")).toEqual([]);
  });

  test("monitors, rules and a dashboard only where they are wanted", async () => {
    expect([...(await kindsOf({}))]).not.toEqual(expect.arrayContaining(["PodMonitor"]));
    expect([...(await kindsOf({}))]).not.toEqual(expect.arrayContaining(["PrometheusRule"]));
    const manifests = await render(everything);
    expect(kinds(manifests, "PodMonitor").toSorted()).toEqual(["dmthin-controller", "dmthin-node"]);
    const rules = parse(await readFile(join(CHART, "../../alerts/dmthin.rules.yaml"), "utf8")) as { groups: unknown };
    expect(find(manifests, "PrometheusRule", "dmthin")["spec"]).toEqual(rules);
    const { data } = find(manifests, "ConfigMap", "dmthin-dashboard") as Manifest & { data: Record<string, string> };
    expect(JSON.parse(data["dmthin.json"] ?? "")).toMatchObject({ uid: "dmthin" });
  });

  test("labels that everything of the chart has, and namespaces only where they belong", async () => {
    for (const { kind, metadata } of await render(everything)) {
      if (kind === "CustomResourceDefinition") continue;
      expect(metadata.labels).toMatchObject({ "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/instance": "dmthin", team: "storage" });
      const isClusterWide = /^(Cluster|CSIDriver|.*Class$|ValidatingAdmission)/.test(kind);
      expect({ kind, namespace: metadata.namespace }).toEqual({ kind, namespace: isClusterWide ? undefined : NAMESPACE });
    }
  });
});
