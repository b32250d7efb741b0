import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { run } from "../lab/command.ts";
import { clusterTools, program } from "../lab/cluster/tools.ts";
import { CHART } from "./generated.ts";

/** An object as helm renders it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export const NAMESPACE = "dmthin";

/** What a cluster has that knows snapshots. */
export const EVERYTHING = [
  "snapshot.storage.k8s.io/v1/VolumeSnapshotClass",
  "groupsnapshot.storage.k8s.io/v1/VolumeGroupSnapshotClass",
  "storage.k8s.io/v1/VolumeAttributesClass",
];

export const helm = async (...args: readonly string[]): Promise<string> => run([program(await clusterTools(), "helm"), ...args]);

export interface Rendering {
  readonly values?: object;
  /** Of the cluster, beside what every one has. */
  readonly apis?: readonly string[];
  readonly hooks?: boolean;
}

/** What makes all that the chart can make. */
export const EVERY_VALUE: Rendering = {
  values: {
    pools: { fast: { backing: { loop: { directory: "/srv/fast", dataSize: "20Gi" } } } },
    node: { loopDirectories: ["/srv/fast"] },
    nodeGroups: { arm: { nodeSelector: { "kubernetes.io/arch": "arm64" }, maxVolumesPerNode: 7 } },
    volumeAttributesClasses: [{ name: "discarding", parameters: { discardOnDelete: "true" } }],
    metrics: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } },
    commonLabels: { team: "storage" },
  },
};

/** The chart, rendered. Throws with helm's words when the values are refused. */
export async function renderText({ values = {}, apis = EVERYTHING, hooks = true }: Rendering = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-chart-"));
  try {
    const file = join(folder, "values.json");
    await writeFile(file, JSON.stringify(values));
    const options = [...apis.flatMap((api) => ["--api-versions", api]), ...(hooks ? [] : ["--no-hooks"])];
    return await helm("template", "dmthin", CHART, "--namespace", NAMESPACE, "--values", file, ...options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rendered = new Map<string, Promise<readonly Manifest[]>>();

/** The same, as objects; each rendering is asked of helm once. */
export async function render(rendering: Rendering = {}): Promise<readonly Manifest[]> {
  const key = JSON.stringify(rendering);
  const known = rendered.get(key) ?? renderText(rendering).then(documents);
  rendered.set(key, known);
  return known;
}

/** The objects of a YAML text. Throws on the first mistake in it. */
export function documents(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.contents === null ? [] : [document.toJS() as Manifest];
  });
}
