import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached, recipeHash } from "../cache.ts";
import { openSid } from "../debian-sid.ts";
import { step } from "../progress.ts";
import { aptReason } from "../apt.ts";
import { userland } from "../userland.ts";
import { goModuleFolder, goPrograms } from "./go-module.ts";
import { HELM, KUBERNETES, PROVISIONER, RESIZER, SNAPSHOT_CRDS, SNAPSHOTTER } from "./versions.ts";

const CSI = "github.com/kubernetes-csi";

/** Kubernetes, and what is installed in it. */
export interface ClusterTools {
  /** Paths of the programs, by name. */
  readonly programs: ReadonlyMap<string, string>;
  /** A tree with Debian's etcd, containerd, runc, CNI plugins and a static busybox. */
  readonly debian: string;
  /** Files of YAML: the snapshot API's definitions, then its controller. */
  readonly snapshotManifests: readonly string[];
}

export function program({ programs }: ClusterTools, name: string): string {
  const path = programs.get(name);
  if (path === undefined) throw new Error(`the lab's cluster has no program ${name}`);
  return path;
}

/** Everything that a cluster runs; the first call on a computer builds it (about a quarter of an hour on two CPUs). */
export async function clusterTools(): Promise<ClusterTools> {
  const debian = await debianTree();
  const minor = KUBERNETES.split(".")[1] ?? "";
  const versionPackage = "k8s.io/component-base/version";
  const kubernetes = await goPrograms({
    title: "Kubernetes",
    packages: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"].map((name) => [
      `k8s.io/kubernetes/cmd/${name}`,
      KUBERNETES,
    ]),
    kubernetesLibraries: KUBERNETES,
    linkerFlags: `-X ${versionPackage}.gitVersion=v${KUBERNETES} -X ${versionPackage}.gitMajor=1 -X ${versionPackage}.gitMinor=${minor}`,
  });
  const provisioner = await goPrograms({
    title: "the provisioner",
    packages: [[`${CSI}/external-provisioner/v6/cmd/csi-provisioner`, PROVISIONER]],
    kubernetesLibraries: KUBERNETES,
  });
  const sidecars = await goPrograms({
    title: "the other sidecars",
    packages: [
      [`${CSI}/external-snapshotter/v8/cmd/csi-snapshotter`, SNAPSHOTTER],
      [`${CSI}/external-snapshotter/v8/cmd/snapshot-controller`, SNAPSHOTTER],
      [`${CSI}/external-resizer/v2/cmd/csi-resizer`, RESIZER],
    ],
  });
  const helm = await goPrograms({ title: "helm", packages: [["helm.sh/helm/v4/cmd/helm", HELM]] });
  const etcd = ["etcd", join(debian, "usr/bin/etcd")] as const;
  const programs = new Map([...kubernetes, ...provisioner, ...sidecars, ...helm, etcd]);
  return { programs, debian, snapshotManifests: await snapshotManifests() };
}

const DEBIAN_PACKAGES = ["etcd-server", "containerd", "runc", "containernetworking-plugins", "busybox-static"];

function debianTree(): Promise<string> {
  return cached(`cluster-debian-${recipeHash(DEBIAN_PACKAGES)}`, (folder) =>
    step(`unpacking ${DEBIAN_PACKAGES.join(", ")} from Debian sid`, () => unpack(folder)),
  );
}

async function unpack(folder: string): Promise<void> {
  try {
    await using sid = await openSid(await userland());
    for (const name of DEBIAN_PACKAGES) await sid.unpack(name, folder);
  } catch (cause) {
    throw new Error(`the cluster's Debian packages cannot be had: ${aptReason(cause)}`, { cause });
  }
}

/** The snapshot API and its controller as the project publishes them; copied, so that a run needs no network once everything is there. */
async function snapshotManifests(): Promise<readonly string[]> {
  const folder = await cached(`snapshot-manifests-${SNAPSHOTTER}`, async (draft) => {
    const definitions = join(await goModuleFolder(`${CSI}/external-snapshotter/client/v8`, SNAPSHOT_CRDS), "config/crd");
    const controller = join(await goModuleFolder(`${CSI}/external-snapshotter/v8`, SNAPSHOTTER), "deploy/kubernetes/snapshot-controller");
    for (const from of [definitions, controller]) {
      for (const name of await readdir(from)) await copyFile(join(from, name), join(draft, name));
    }
    await rm(join(draft, "kustomization.yaml"));
  });
  return (await readdir(folder)).toSorted().map((name) => join(folder, name)); // "setup-…", the controller itself, is last
}
