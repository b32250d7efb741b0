import { describe, expect, test } from "@jest/globals";
import { EVERY_VALUE, NAMESPACE, render, type Manifest } from "./helm.ts";
import { find, kinds, pod, type Role } from "./rendered.ts";

const rightsToNodes = (manifests: readonly Manifest[]) =>
  (find(manifests, "ClusterRole", "dmthin-controller") as Role).rules.find(({ resources }) => resources.includes("nodes"));

describe("rights", () => {
  test("are least: no wildcards, no secrets, nothing of roles; only what is listed here is written", async () => {
    const roles = (await render(EVERY_VALUE)).filter((each): each is Role => each.kind.endsWith("Role"));
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
    const manifests = await render(EVERY_VALUE);
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
