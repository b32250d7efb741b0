import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { CHART } from "./generated.ts";
import { EVERY_VALUE, EVERYTHING, helm, NAMESPACE, render, type Manifest, type Rendering } from "./helm.ts";
import { MANIFESTS, renderedManifests } from "./manifests.ts";
import { find, kinds, pod, type Role } from "./rendered.ts";

const kindsOf = async (rendering: Rendering) => new Set((await render(rendering)).map(({ kind }) => kind));

test("helm lint finds nothing wrong", async () => {
  expect(await helm("lint", CHART, "--strict")).toContain("0 chart(s) failed");
});

test('manifests/ is what the chart renders: after a change there, run "npm run manifests"', async () => {
  for (const [name, text] of await renderedManifests()) expect(await readFile(join(MANIFESTS, name), "utf8")).toBe(text);
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
    const manifests = await render(EVERY_VALUE);
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
    expect(find(await render({ ...EVERY_VALUE, apis: [] }), "VolumeAttributesClass", "discarding").apiVersion).toBe("storage.k8s.io/v1beta1");
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
    const manifests = await render(EVERY_VALUE);
    expect(kinds(manifests, "ThinPool")).toEqual([]);
    const job = find(manifests, "Job", "dmthin-pools");
    expect(job.metadata.annotations?.["helm.sh/hook"]).toBe("post-install,post-upgrade,post-rollback");
    const { data } = find(manifests, "ConfigMap", "dmthin-pools") as Manifest & { data: Record<string, string> };
    expect(parse(data["pools.yaml"] ?? "")).toEqual((EVERY_VALUE.values as { pools: object }).pools);
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
    const manifests = await render(EVERY_VALUE);
    expect(kinds(manifests, "PodMonitor").toSorted()).toEqual(["dmthin-controller", "dmthin-node"]);
    const rules = parse(await readFile(join(CHART, "../../alerts/dmthin.rules.yaml"), "utf8")) as { groups: unknown };
    expect(find(manifests, "PrometheusRule", "dmthin")["spec"]).toEqual(rules);
    const { data } = find(manifests, "ConfigMap", "dmthin-dashboard") as Manifest & { data: Record<string, string> };
    expect(JSON.parse(data["dmthin.json"] ?? "")).toMatchObject({ uid: "dmthin" });
  });

  test("labels that everything of the chart has, and namespaces only where they belong", async () => {
    for (const { kind, metadata } of await render(EVERY_VALUE)) {
      if (kind === "CustomResourceDefinition") continue;
      expect(metadata.labels).toMatchObject({ "app.kubernetes.io/name": "dmthin", "app.kubernetes.io/instance": "dmthin", team: "storage" });
      const isClusterWide = /^(Cluster|CSIDriver|.*Class$|ValidatingAdmission)/.test(kind);
      expect({ kind, namespace: metadata.namespace }).toEqual({ kind, namespace: isClusterWide ? undefined : NAMESPACE });
    }
  });
});
